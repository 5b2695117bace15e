package io.barrage.loadtest.danmaku;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads danmaku XML: {@code <i><d p="seconds,mode,size,colour,...">text</d>...</i>}. Thread-safe: no state.
 *
 * <p>Such files come from strangers, so document types and external entities are refused and sizes are bounded.
 */
public final class DanmakuXml {
    /** More comments than any video has; a bound for memory, not a rule of the format. */
    static final int MAX_COMMENTS = 1_000_000;

    /** A message may have 64 KiB; the longest texts seen are scripts of about 10,000 characters. */
    static final int MAX_TEXT_CHARS = 16_384;

    private static final double MAX_SECONDS = 7 * 24 * 3600;
    private static final int POSITIONED_MODE = 7;
    private static final JsonMapper JSON = new JsonMapper();

    private DanmakuXml() {}

    /**
     * Reads all comments, ordered by their time; comments of the same time stay in the file's order.
     *
     * @param source the name that error messages give to the input
     * @throws DanmakuFormatException if it isn't well-formed danmaku XML
     */
    public static List<DanmakuComment> read(InputStream in, String source) throws DanmakuFormatException {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        List<DanmakuComment> comments = new ArrayList<>();
        try {
            XMLStreamReader xml = factory.createXMLStreamReader(in);
            readDocument(xml, source, comments);
        } catch (XMLStreamException e) {
            int line = e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNumber());
            throw new DanmakuFormatException(source, line, "not well-formed XML: " + firstSentence(e));
        }
        comments.sort(Comparator.comparingLong(DanmakuComment::atNanos));
        return List.copyOf(comments);
    }

    private static void readDocument(XMLStreamReader xml, String source, List<DanmakuComment> into)
            throws XMLStreamException, DanmakuFormatException {
        int depth = 0;
        while (xml.hasNext()) {
            int event = xml.next();
            if (event == XMLStreamConstants.DTD) {
                throw error(xml, source, "a document type (<!DOCTYPE>) isn't allowed");
            } else if (event == XMLStreamConstants.END_ELEMENT) {
                depth--;
            } else if (event == XMLStreamConstants.START_ELEMENT) {
                String element = xml.getLocalName();
                if (depth == 0 && !element.equals("i")) {
                    throw error(xml, source, "the document is <" + element + ">, danmaku files are <i>");
                }
                if (element.equals("d")) {
                    if (into.size() == MAX_COMMENTS) {
                        throw error(xml, source, "more than " + MAX_COMMENTS + " comments");
                    }
                    into.add(readComment(xml, source)); // leaves the reader behind </d>
                } else {
                    depth++;
                }
            }
        }
    }

    private static DanmakuComment readComment(XMLStreamReader xml, String source)
            throws XMLStreamException, DanmakuFormatException {
        int line = xml.getLocation().getLineNumber();
        String p = xml.getAttributeValue(null, "p");
        if (p == null) {
            throw new DanmakuFormatException(source, line, "<d> without its attribute p");
        }
        String[] fields = p.split(",", -1);
        if (fields.length < 4) {
            throw new DanmakuFormatException(
                    source,
                    line,
                    "p=\"" + p + "\" has " + fields.length + " fields, at least seconds,mode,size,colour");
        }
        double seconds = number(fields[0], "seconds", 0, MAX_SECONDS, source, line);
        int mode = (int) number(fields[1], "mode", 0, 1_000, source, line);
        // Some tools write a signed or an unsigned int with an alpha byte above the colour.
        int rgb = (int) (long) number(fields[3], "colour", Integer.MIN_VALUE, 0xffffffffL, source, line) & 0xffffff;
        String text = xml.getElementText();
        if (mode == POSITIONED_MODE) {
            text = textOfPositioned(text);
        }
        if (text.length() > MAX_TEXT_CHARS) {
            throw new DanmakuFormatException(source, line, "a text of more than " + MAX_TEXT_CHARS + " characters");
        }
        return new DanmakuComment(Math.round(seconds * 1e9), DanmakuComment.Mode.ofNumber(mode), rgb, text);
    }

    /** Positioned comments hold a JSON array of coordinates and effects around their text, which is the fifth element. */
    private static String textOfPositioned(String text) {
        try {
            JsonNode array = JSON.readTree(text);
            return array.isArray() && array.size() > 4 ? array.get(4).asString(text) : text;
        } catch (JacksonException ignored) {
            return text; // old files have plain text in this mode too
        }
    }

    private static double number(String field, String name, double min, double max, String source, int line)
            throws DanmakuFormatException {
        double value;
        try {
            value = Double.parseDouble(field.trim());
        } catch (NumberFormatException e) {
            value = Double.NaN;
        }
        if (!(value >= min && value <= max)) {
            throw new DanmakuFormatException(
                    source, line, String.format("%s is '%s', not a number from %.0f to %.0f", name, field, min, max));
        }
        return value;
    }

    private static DanmakuFormatException error(XMLStreamReader xml, String source, String what) {
        return new DanmakuFormatException(source, xml.getLocation().getLineNumber(), what);
    }

    /** The JDK's parser puts "ParseError at [row,col]: ... Message: " before what a person wants to read. */
    private static String firstSentence(XMLStreamException e) {
        String message = String.valueOf(e.getMessage());
        int at = message.indexOf("Message: ");
        return (at < 0 ? message : message.substring(at + 9)).strip();
    }
}
