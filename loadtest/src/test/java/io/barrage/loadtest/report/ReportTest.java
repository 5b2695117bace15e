package io.barrage.loadtest.report;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.barrage.loadtest.load.ChurnResult;
import io.barrage.loadtest.load.ConnectResult;
import io.barrage.loadtest.load.EncodingsResult;
import io.barrage.loadtest.load.FanoutResult;
import io.barrage.loadtest.load.HotResult;
import io.barrage.loadtest.load.LikesResult;
import io.barrage.loadtest.load.ReplayResult;
import io.barrage.loadtest.load.RepliesResult;
import io.barrage.loadtest.load.SlowResult;
import io.barrage.loadtest.measure.LatencySummary;
import java.io.ByteArrayInputStream;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

final class ReportTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Set<String> WORDS = Set.of("target", "plan", "topic", "invalid", "notes");
    private static final String HOSTILE = "</title><script>alert('x')</script>&\"\u0000<img src=x onerror=y>";

    private static final Map<String, Class<?>> RESULTS = new TreeMap<>(Map.of(
            "fanout", FanoutResult.class,
            "connect", ConnectResult.class,
            "churn", ChurnResult.class,
            "replies", RepliesResult.class,
            "slow", SlowResult.class,
            "hot", HotResult.class,
            "likes", LikesResult.class,
            "encodings", EncodingsResult.class,
            "replay", ReplayResult.class));

    static Stream<String> commands() {
        return RESULTS.keySet().stream();
    }

    // ---------------------------------------------------------------- results as the commands write them

    /** A result of a command in which each number is another one. */
    private static ObjectNode result(String command) {
        ObjectNode json = JSON.createObjectNode();
        fill(json, RESULTS.get(command), new int[] {1_000});
        return json;
    }

    private static void fill(ObjectNode json, Class<?> type, int[] next) {
        for (RecordComponent component : type.getRecordComponents()) {
            String name = component.getName();
            Class<?> of = component.getType();
            if (of == String.class) {
                json.put(name, name + " in words");
            } else if (of == boolean.class) {
                json.put(name, true);
            } else if (of == int.class || of == long.class) {
                json.put(name, next[0]++ * 7919L);
            } else if (of == double.class) {
                json.put(name, next[0]++ * 7.25);
            } else if (of == Map.class) {
                json.putObject(name).put("the reason of " + name, next[0]++);
            } else if (of.isRecord()) {
                fill(json.putObject(name), of, next);
            } else if (of == List.class) {
                Class<?> element =
                        (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
                ArrayNode list = json.putArray(name);
                if (element.isRecord()) {
                    fill(list.addObject(), element, next);
                    fill(list.addObject(), element, next);
                }
            } else {
                throw new AssertionError("what is a " + of + "?");
            }
        }
    }

    /** The paths of a result's figures. */
    private static List<String> paths(Class<?> type, String prefix) {
        List<String> paths = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            String path = prefix + component.getName();
            if (component.getType().isRecord() && component.getType() != LatencySummary.class) {
                paths.addAll(paths(component.getType(), path + "."));
            } else if (component.getType() == List.class && !WORDS.contains(path)) {
                ParameterizedType list = (ParameterizedType) component.getGenericType();
                paths.addAll(paths((Class<?>) list.getActualTypeArguments()[0], path + "."));
            } else if (!WORDS.contains(path)) {
                paths.add(path);
            }
        }
        return paths;
    }

    private static Document parse(String xml) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(xml.getBytes(UTF_8)));
    }

    private static List<Element> all(Document page, String tag) {
        NodeList nodes = page.getElementsByTagName(tag);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static Document page(JsonNode... results) throws Exception {
        List<Result> drawn = new ArrayList<>();
        for (JsonNode json : results) {
            drawn.add(Result.of("r" + drawn.size(), json));
        }
        return parse(new Report("A title", drawn).html());
    }

    private static List<String> cells(Document page) {
        return Stream.concat(all(page, "td").stream(), all(page, "dd").stream())
                .map(Element::getTextContent)
                .toList();
    }

    // ---------------------------------------------------------------- single loads

    @ParameterizedTest
    @MethodSource("commands")
    void definesEveryFigure(String command) {
        Figures figures = Figures.read();
        for (String path : paths(RESULTS.get(command), "")) {
            assertNotNull(figures.find(command, path), "figures.json has no definition of " + command + "." + path);
        }
    }

    @Test
    void definesNoFigureThatNobodyWrites() {
        Figures figures = Figures.read();
        for (String command : RESULTS.keySet()) {
            List<String> written = new ArrayList<>(paths(RESULTS.get(command), ""));
            written.add("server.publishesPerCpuSecond"); // the comparison's own, made of two others
            written.add("topic");
            written.addAll(List.of("busiestLoop", "lag")); // of files that are older than "generator"
            for (String path : figures.paths(command)) {
                assertTrue(written.contains(path), command + "." + path);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("commands")
    void recognizesAResultByItsMembers(String command) {
        assertEquals(command, Result.of("old", result(command)).command());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void showsEveryFigureWithItsDefinition(String command) throws Exception {
        ObjectNode json = result(command);
        Document page = page(json);
        List<String> cells = cells(page);
        List<String> anchors =
                all(page, "tr").stream().map(row -> row.getAttribute("id")).toList();
        List<String> links =
                all(page, "a").stream().map(link -> link.getAttribute("href")).toList();
        Figures figures = Figures.read();
        for (String path : paths(RESULTS.get(command), "")) {
            String id = command + "." + path;
            assertTrue(links.contains("#" + id), "no link to " + id);
            assertTrue(anchors.contains(id), "no definition of " + id);
            JsonNode node = json;
            for (String name : path.split("\\.", -1)) {
                node = node.isArray() ? node.get(1).path(name) : node.path(name);
            }
            Unit unit = figures.get(command, path).unit();
            if (node.isNumber()) {
                assertTrue(cells.contains(unit.format(node.asDouble())), id + " " + node + ": " + cells);
            } else if (Latency.is(node)) {
                for (String percentile : List.of("p50", "p90", "p99", "p999", "max", "mean")) {
                    String shown = Unit.MILLIS.bare(node.path(percentile).asDouble());
                    assertTrue(cells.contains(shown), id + "." + percentile + " " + shown);
                }
                assertTrue(cells.contains(Unit.NONE.bare(node.path("count").asDouble())), id);
            } else if (node.isObject()) {
                String name = path.substring(path.lastIndexOf('.') + 1);
                assertTrue(cells.stream().anyMatch(cell -> cell.startsWith("the reason of " + name + ": ")), id);
            }
        }
    }

    @Test
    void marksWhatMustNotBeUsed() throws Exception {
        ObjectNode json = result("fanout");
        json.putArray("invalid").add("the generator was the limit");
        Document page = page(json);
        List<String> badges =
                all(page, "span").stream().map(Element::getTextContent).toList();
        assertEquals(List.of("invalid"), badges);
        assertTrue(all(page, "li").stream().anyMatch(li -> li.getTextContent().equals("the generator was the limit")));
        assertEquals(
                List.of("valid"),
                all(page(result("fanout")), "span").stream()
                        .map(Element::getTextContent)
                        .toList());
    }

    @Test
    void saysWhereAndHowItWasMeasured() throws Exception {
        ObjectNode json = result("hot");
        ObjectNode measured = json.putObject("measured");
        measured.put("command", "hot").put("finished", "2026-11-26T01:02:03Z");
        measured.putArray("arguments").add("hot").add("--namespace").add("it's mine");
        measured.putObject("environment").put("cpu", "abacus").put("cores", 2);
        Document page = page(json);
        assertEquals(
                "loadtest hot --namespace 'it'\\''s mine'",
                all(page, "code").get(0).getTextContent());
        assertTrue(cells(page).containsAll(List.of("abacus", "2", "2026-11-26T01:02:03Z")));
    }

    // ---------------------------------------------------------------- comparisons

    private static ObjectNode run(int round, String target, double perCpuSecond) {
        ObjectNode run = JSON.createObjectNode()
                .put("round", round)
                .put("workload", "lone")
                .put("target", target);
        ObjectNode result = result("fanout");
        result.withObject("server").put("deliveriesPerCpuSecond", perCpuSecond);
        ObjectNode totals = result.withObject("totals");
        for (String count : List.of("lost", "excess", "repeated", "disordered", "refused")) {
            totals.put(count, 0);
        }
        result.withObject("generator").put("disturbed", false);
        run.set("result", result);
        return run.put("failure", "");
    }

    private static ObjectNode comparison(ObjectNode... runs) {
        ObjectNode json = JSON.createObjectNode();
        json.putObject("environment").put("cpu", "abacus");
        json.putObject("versions").put("barrage", "1.0").put("other", "2.0");
        json.putObject("missing").put("third", "not installed");
        json.putArray("workloads").add("lone");
        json.putArray("runs").addAll(List.of(runs));
        return json;
    }

    @Test
    void showsMediansRatiosAndEveryRun() throws Exception {
        ObjectNode lossy = run(2, "other", 900);
        lossy.withObject("result").withObject("totals").put("lost", 31);
        ObjectNode failed = JSON.createObjectNode()
                .put("round", 3)
                .put("workload", "lone")
                .put("target", "other")
                .putNull("result")
                .put("failure", "it ended with 1");
        Document page = page(comparison(
                run(1, "barrage", 1000).put("start", 1),
                run(1, "other", 1500),
                run(2, "barrage", 2000).put("start", 1),
                lossy,
                run(3, "barrage", 4000).put("start", 1),
                failed));
        List<List<String>> rows = all(page, "tr").stream()
                .map(row -> {
                    List<String> cells = new ArrayList<>();
                    NodeList nodes = row.getElementsByTagName("td");
                    for (int i = 0; i < nodes.getLength(); i++) {
                        cells.add(nodes.item(i).getTextContent());
                    }
                    return cells;
                })
                .toList();
        // Gateway, usable, starts, disturbed, median per CPU-second, ratio.
        assertTrue(
                rows.stream()
                        .anyMatch(row -> row.size() > 5
                                && row.subList(0, 6).equals(List.of("barrage", "3 of 3", "1", "0", "2,000", "1.00"))),
                rows::toString);
        assertTrue(
                rows.stream()
                        .anyMatch(row -> row.size() > 5
                                && row.subList(0, 6).equals(List.of("other", "1 of 3", "2", "0", "1,200", "(0.60)"))),
                rows::toString);
        // Gateway, round, per CPU-second, ..., verdict.
        assertTrue(
                rows.stream()
                        .anyMatch(row -> row.size() > 5
                                && row.subList(0, 3).equals(List.of("other", "2", "900"))
                                && row.get(row.size() - 1).equals("31 lost")),
                rows::toString);
        assertTrue(
                rows.stream()
                        .anyMatch(row -> row.size() > 5
                                && row.subList(0, 2).equals(List.of("other", "3"))
                                && row.get(row.size() - 1).equals("it ended with 1")),
                rows::toString);
        assertTrue(all(page, "li").stream().anyMatch(li -> li.getTextContent().equals("third: not installed")));
        assertTrue(cells(page).containsAll(List.of("abacus", "1.0", "2.0")));
        // A dot for each usable run, a cross for the one that lost; the one that failed has no place.
        Element ratios = all(page, "svg").get(0);
        assertEquals(4, ratios.getElementsByTagName("circle").getLength());
        assertEquals(1, ratios.getElementsByTagName("path").getLength());
    }

    private static ObjectNode unusable(ObjectNode run) {
        run.withObject("result").putArray("invalid").add("the generator was the limit");
        return run;
    }

    @Test
    void marksAMedianOfRunsOfWhichMostDoNotCount() throws Exception {
        ObjectNode comparison = comparison(
                run(1, "barrage", 2000),
                run(1, "other", 100),
                unusable(run(2, "other", 600)),
                unusable(run(3, "other", 500)),
                run(1, "barrage", 1).put("workload", "w32"),
                run(1, "other", 1).put("workload", "w32"));
        ((ArrayNode) comparison.get("workloads")).add("w32");
        Document page = page(comparison);
        assertTrue(
                cells(page).containsAll(List.of("1 of 3", "(0.25)")),
                cells(page).toString());
        assertEquals(
                List.of("out", "in", "in", "in"),
                all(page, "tr").stream()
                        .filter(row -> row.getTextContent().matches("(barrage|other)\\d of \\d.*"))
                        .map(row -> row.getAttribute("class"))
                        .sorted(Comparator.reverseOrder())
                        .toList());
        List<Element> plots = all(page, "svg");
        List<String> hollow = all(page, "circle").stream()
                .filter(mark -> mark.getAttribute("class").startsWith("hollow"))
                .map(Element::getTextContent)
                .toList();
        assertEquals(List.of("other: (0.25)"), hollow);
        List<String> texts =
                all(page, "text").stream().map(Element::getTextContent).toList();
        assertTrue(texts.containsAll(List.of("2,000, 1/1", "(500), 1/3", "(0.25)")), texts.toString());
        // A bar for the measure alone; the latency's curve of the other is dashed.
        assertEquals(1, plots.get(1).getElementsByTagName("rect").getLength());
        assertEquals(
                1,
                all(page, "path").stream()
                        .filter(path -> path.getAttribute("class").startsWith("hollow"))
                        .count());
    }

    @Test
    void comparesNobodyWithTheSecondIfTheFirstIsMissing() throws Exception {
        ObjectNode comparison = comparison(run(1, "other", 100)).put("measure", "barrage");
        comparison.withObject("versions").remove("barrage");
        Document page = page(comparison);
        assertTrue(
                all(page, "th").stream().anyMatch(head -> head.getTextContent().equals("ratio to barrage")));
        assertTrue(cells(page).contains("–"), cells(page).toString());
        assertFalse(cells(page).contains("1.00"), cells(page).toString());
    }

    @Test
    void bracketsARatioToWhatMustNotBeUsed() throws Exception {
        Document page = page(comparison(unusable(run(1, "barrage", 100)), run(1, "other", 200)));
        assertTrue(
                cells(page).containsAll(List.of("(1.00)", "(2.00)")),
                cells(page).toString());
        assertEquals(0, all(page, "svg").get(0).getElementsByTagName("rect").getLength());
    }

    private static ObjectNode latencyOf(int values) {
        ObjectNode result = result("replies");
        result.withObject("ping").put("count", values);
        result.remove(List.of("subscribe", "late", "generator"));
        return result;
    }

    @ParameterizedTest
    @CsvSource({"9,1", "10,2", "99,2", "100,3", "999,3", "1000,5"})
    void drawsPercentilesOfWhichThereAreValuesEnough(int values, int points) throws Exception {
        Element curves = all(page(latencyOf(values)), "svg").get(0);
        assertEquals(points, curves.getElementsByTagName("circle").getLength());
    }

    @Test
    void drawsNoRarePercentileOfManySmallRuns() throws Exception {
        ObjectNode[] runs = new ObjectNode[5];
        for (int i = 0; i < runs.length; i++) {
            runs[i] = run(i + 1, "barrage", 100);
            runs[i].withObject("result").withObject("complete").put("count", 40);
        }
        Element curves = all(page(comparison(runs)), "svg").get(1);
        assertEquals(2, curves.getElementsByTagName("circle").getLength());
    }

    @Test
    void refusesToLetOnePlotReplaceAnother() {
        Report report = new Report("t", List.of(Result.of("a b", result("hot")), Result.of("a-b", result("hot"))));
        assertTrue(assertThrows(IllegalArgumentException.class, report::plots)
                .getMessage()
                .contains("a-b-latency.svg"));
    }

    @Test
    void showsBothLatenciesByTheirNames() throws Exception {
        List<String> heads = all(page(comparison(run(1, "barrage", 1))), "th").stream()
                .map(Element::getTextContent)
                .toList();
        assertTrue(
                heads.containsAll(List.of("p50, ms, latency, sampled", "p99, ms, latency, last one")),
                heads.toString());
    }

    @Test
    void countsPublishesWhereNobodySubscribes() throws Exception {
        ObjectNode run = run(1, "barrage", 0);
        ObjectNode result = run.withObject("result");
        result.put("publishesPerSecond", 500).withObject("totals").put("expected", 0);
        result.withObject("server").put("cores", 0.25);
        Document page = page(comparison(run));
        assertTrue(all(page, "text").stream()
                .anyMatch(text -> text.getTextContent().equals("lone: publishes per CPU-second of server")));
        assertTrue(cells(page).contains("2,000"));
    }

    @Test
    void drawsAComparisonInWhichNothingWorked() throws Exception {
        ObjectNode failed = JSON.createObjectNode()
                .put("round", 1)
                .put("workload", "lone")
                .put("target", "barrage")
                .putNull("result")
                .put("failure", "no");
        assertFalse(new Report("t", List.of(Result.of("r", comparison(failed))))
                .html()
                .contains("NaN"));
        assertTrue(cells(page(comparison(failed))).contains("0 of 1"));
    }

    // ---------------------------------------------------------------- whatever gateways say

    @Test
    void escapesWhatGatewaysSay() throws Exception {
        ObjectNode churn = result("churn").put("target", HOSTILE).put("plan", HOSTILE);
        churn.putArray("invalid").add(HOSTILE);
        churn.putArray("notes").add(HOSTILE);
        churn.putObject("failures").put(HOSTILE, 1);
        ObjectNode run = run(1, "barrage", 1).put("failure", HOSTILE).putNull("result");
        ObjectNode comparison = comparison(run);
        comparison.withObject("versions").put(HOSTILE, HOSTILE);
        comparison.withObject("missing").put(HOSTILE, HOSTILE);
        String html = new Report(HOSTILE, List.of(Result.of(HOSTILE, churn), Result.of("c", comparison))).html();
        Document page = parse(html);
        for (String tag : List.of("script", "img", "link", "iframe", "object", "base", "form")) {
            assertEquals(0, all(page, tag).size(), tag);
        }
        // As HTML reads it, too: nothing closes the title early.
        assertEquals(html.indexOf("</title>"), html.indexOf("</title><style>"));
        String shown = HOSTILE.replace('\u0000', '\ufffd');
        assertEquals(shown, all(page, "title").get(0).getTextContent());
        assertTrue(all(page, "li").stream().anyMatch(li -> li.getTextContent().equals(shown)));
        assertTrue(all(page, "dd").stream().anyMatch(dd -> dd.getTextContent().equals(shown + ": 1")));
        assertTrue(all(page, "td").stream().anyMatch(td -> td.getTextContent().equals(shown)));
    }

    @Test
    void loadsNothingAndRunsNothing() throws Exception {
        Document page = page(result("fanout"), comparison(run(1, "barrage", 1)));
        NodeList elements = page.getElementsByTagName("*");
        for (int i = 0; i < elements.getLength(); i++) {
            Element element = (Element) elements.item(i);
            for (int a = 0; a < element.getAttributes().getLength(); a++) {
                String name = element.getAttributes().item(a).getNodeName();
                String value = element.getAttributes().item(a).getNodeValue();
                assertFalse(name.startsWith("on") || name.equals("src") || name.equals("style"), name);
                assertTrue(!name.equals("href") || value.startsWith("#"), value);
                assertFalse(value.contains("NaN") || value.contains("Infinity"), name + "=" + value);
            }
        }
        assertTrue(all(page, "style").stream()
                .noneMatch(style -> style.getTextContent().contains("url(")));
    }

    @Test
    void linksLeadSomewhere() throws Exception {
        Document page = page(result("fanout"), comparison(run(1, "barrage", 1), run(1, "other", 2)));
        List<String> ids = new ArrayList<>();
        NodeList elements = page.getElementsByTagName("*");
        for (int i = 0; i < elements.getLength(); i++) {
            ids.add(((Element) elements.item(i)).getAttribute("id"));
        }
        for (Element link : all(page, "a")) {
            assertTrue(ids.contains(link.getAttribute("href").substring(1)), link.getAttribute("href"));
        }
    }

    @Test
    void writesPlotsThatStandAlone() throws Exception {
        Map<String, String> plots = new Report(
                        "t",
                        List.of(
                                Result.of("results", comparison(run(1, "barrage", 1), run(1, "other", 2))),
                                Result.of("../etc/idle", result("connect"))))
                .plots();
        assertEquals(
                List.of(
                        "results-lone.svg",
                        "results-lone-latency.svg",
                        "..-etc-idle-latency.svg",
                        "..-etc-idle-memory.svg"),
                List.copyOf(plots.keySet()));
        for (String plot : plots.values()) {
            Document svg = parse(plot);
            assertEquals("svg", svg.getDocumentElement().getTagName());
            assertEquals("http://www.w3.org/2000/svg", svg.getDocumentElement().getAttribute("xmlns"));
            assertEquals(1, all(svg, "style").size());
            assertFalse(plot.contains("NaN"), plot);
        }
    }

    @Test
    void drawsAllLoadsInOnePlotAndFarRatiosByPowersOfTen() throws Exception {
        ObjectNode json = comparison(
                run(1, "barrage", 1000),
                run(1, "other", 10),
                run(1, "barrage", 50).put("workload", "w32"),
                run(1, "other", 100).put("workload", "w32"),
                run(1, "barrage", 50).put("workload", "alone"));
        ((ArrayNode) json.get("workloads")).add("w32").add("alone");
        Map<String, String> plots = new Report("t", List.of(Result.of("results", json))).plots();
        Document overview = parse(plots.get("results-overview.svg"));
        List<String> marks = all(overview, "title").stream()
                .map(Element::getTextContent)
                .skip(1)
                .toList();
        // Under the third load there is nobody to compare with.
        assertEquals(List.of("barrage: 1.00", "other: 0.010", "barrage: 1.00", "other: 2.00"), marks);
        assertTrue(plots.get("results-lone.svg").contains("by powers of ten"));
        assertFalse(plots.get("results-w32.svg").contains("by powers of ten"));
        assertFalse(new Report("t", List.of(Result.of("results", comparison(run(1, "barrage", 1), run(1, "other", 2)))))
                .plots()
                .containsKey("results-overview.svg"));
    }

    @Test
    void refusesWhatIsNoResult() {
        IllegalArgumentException refused = assertThrows(
                IllegalArgumentException.class,
                () -> Result.of("holiday", JSON.createObjectNode().put("beach", 3)));
        assertEquals("holiday: not a result of this tool", refused.getMessage());
    }
}
