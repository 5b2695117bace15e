package io.barrage.loadtest.danmaku;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.danmaku.DanmakuComment.Mode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DanmakuXmlTest {
    private static List<DanmakuComment> read(String xml) throws IOException {
        return DanmakuXml.read(new ByteArrayInputStream(xml.getBytes(UTF_8)), "test.xml");
    }

    private static DanmakuFormatException refused(String xml) {
        return assertThrows(DanmakuFormatException.class, () -> read(xml));
    }

    @Test
    void readsTimeModeColourAndText() throws IOException {
        List<DanmakuComment> comments = read("<?xml version=\"1.0\" encoding=\"UTF-8\"?><i><chatid>1</chatid>"
                + "<d p=\"1.25,1,25,16777215,1700000000,0,0a1b2c3d,7\">你好 &lt;3 &amp; <![CDATA[<b>]]></d></i>");
        assertEquals(List.of(new DanmakuComment(1_250_000_000L, Mode.SCROLL, 0xffffff, "你好 <3 & <b>")), comments);
        assertEquals("#ffffff", comments.get(0).color());
    }

    @ParameterizedTest
    @CsvSource({"1,SCROLL", "2,SCROLL", "3,SCROLL", "4,BOTTOM", "5,TOP", "6,SCROLL", "8,SCROLL"})
    void mapsModes(String number, Mode mode) throws IOException {
        assertEquals(
                mode, read("<i><d p=\"0," + number + ",25,0\">x</d></i>").get(0).mode());
    }

    @Test
    void takesOnlyTheTextOfPositionedComments() throws IOException {
        assertEquals(
                "said",
                read("<i><d p=\"0,7,25,0\">[\"0.1\",\"0.2\",\"1-1\",\"3\",\"said\",\"0\"]</d></i>")
                        .get(0)
                        .text());
        assertEquals("plain", read("<i><d p=\"0,7,25,0\">plain</d></i>").get(0).text());
    }

    @ParameterizedTest
    @CsvSource({"255,#0000ff", "4294967295,#ffffff", "-1,#ffffff", "4278190335,#0000ff"})
    void keepsTheLowest24BitsOfColours(String written, String color) throws IOException {
        assertEquals(
                color,
                read("<i><d p=\"0,1,25," + written + "\">x</d></i>").get(0).color());
    }

    @Test
    void sortsByTimeAndKeepsTheFilesOrderWithinOneTime() throws IOException {
        List<String> texts =
                read("<i><d p=\"2,1,25,0\">c</d><d p=\"1,1,25,0\">a</d><d p=\"1,1,25,0\">b</d></i>").stream()
                        .map(DanmakuComment::text)
                        .toList();
        assertEquals(List.of("a", "b", "c"), texts);
    }

    @Test
    void refusesDocumentTypesSoThatNoEntityIsRead(@TempDir Path directory) throws IOException {
        Path secret = Files.writeString(directory.resolve("secret"), "top secret");
        DanmakuFormatException refused = refused(
                "<!DOCTYPE i [<!ENTITY x SYSTEM \"" + secret.toUri() + "\">]>\n<i><d p=\"0,1,25,0\">&x;</d></i>");
        assertTrue(refused.getMessage().contains("document type"), refused.getMessage());
        assertFalse(refused.getMessage().contains("top secret"));
    }

    @Test
    void namesSourceAndLineOfWhatIsWrong() {
        DanmakuFormatException refused = refused("<i>\n<d p=\"0,1,25,0\">x</d>\n<d p=\"soon,1,25,0\">y</d>\n</i>");
        assertEquals(3, refused.line());
        assertTrue(refused.getMessage().startsWith("test.xml, line 3: seconds is 'soon'"), refused.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "<i><d>x</d></i>,without its attribute p",
                "`<i><d p=\"1,1\">x</d></i>`,has 2 fields",
                "`<i><d p=\"-1,1,25,0\">x</d></i>`,seconds is '-1'",
                "`<i><d p=\"NaN,1,25,0\">x</d></i>`,seconds is 'NaN'",
                "`<i><d p=\"0,one,25,0\">x</d></i>`,mode is 'one'",
                "`<i><d p=\"0,1,25,99999999999\">x</d></i>`,colour is",
                "<html/>,document is <html>",
                "`<i><d p=\"0,1,25,0\">x</d>`,not well-formed",
                "`<i><d p=\"0,1,25,0\">x<b/></d></i>`,not well-formed",
                "not xml at all,not well-formed"
            })
    void refusesWhatIsNoDanmaku(String xml, String why) {
        String message = refused(xml).getMessage();
        assertTrue(message.contains(why), message);
    }

    @Test
    void refusesTextsThatNoMessageCouldCarry() {
        String message = refused("<i><d p=\"0,1,25,0\">" + "x".repeat(DanmakuXml.MAX_TEXT_CHARS + 1) + "</d></i>")
                .getMessage();
        assertTrue(message.contains("more than " + DanmakuXml.MAX_TEXT_CHARS), message);
    }

    @Test
    void readsTheSampleInTheJar() throws IOException {
        try (InputStream in = DanmakuXml.class.getResourceAsStream("/sample-danmaku.xml")) {
            List<DanmakuComment> comments = DanmakuXml.read(in, "sample-danmaku.xml");
            assertEquals(42, comments.size());
            Set<Mode> modes = comments.stream().map(DanmakuComment::mode).collect(Collectors.toSet());
            assertEquals(EnumSet.allOf(Mode.class), modes);
            assertTrue(comments.stream().anyMatch(comment -> comment.text().contains("🐈")));
            assertTrue(comments.stream().anyMatch(comment -> comment.text().equals("positioned by its author")));
        }
    }
}
