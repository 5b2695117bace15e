package io.barrage.gateway.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.openqa.selenium.JavascriptExecutor;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.TakesScreenshot;
import org.openqa.selenium.WindowType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;

/** A real, headless Chromium with a profile of its own. */
public final class Browser implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long POLL_MILLIS = 50;

    /** Deletes a folder, in which Chromium's last processes may still delete themselves. */
    private static final SimpleFileVisitor<Path> DELETING = new SimpleFileVisitor<>() {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException ignored) {
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException ignored) {
            // What they have put in meanwhile stays, with the folder.
            folder.toFile().delete();
            return FileVisitResult.CONTINUE;
        }
    };

    private final Path profile;
    private final ChromeDriver driver;

    /** Starts it with a window of this size in pixels. */
    public Browser(int width, int height) {
        Path chromium = Requirements.command("chromium", "chromium-browser", "google-chrome");
        Path chromedriver = Requirements.command("chromedriver");
        try {
            profile = Files.createTempDirectory("barrage-chromium");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium.toFile());
        options.addArguments(List.of(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--window-size=" + width + "," + height,
                "--user-data-dir=" + profile));
        driver = new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(chromedriver.toFile())
                        .usingAnyFreePort()
                        .build(),
                options);
    }

    /** The driver, for what this class has no word for. */
    public ChromeDriver driver() {
        return driver;
    }

    /** Opens a page. */
    public void open(String url) {
        driver.get(url);
    }

    /** Opens a page in a tab of its own, which is the present one from then on. */
    public Page openTab(String url) {
        driver.switchTo().newWindow(WindowType.TAB);
        driver.get(url);
        return new Page(driver.getWindowHandle());
    }

    /** One of several tabs. Each call makes it the present one. */
    public final class Page {
        private final String window;

        private Page(String window) {
            this.window = window;
        }

        /** Runs a script in it, which finds these in {@code arguments}; gives what it returns. */
        public Object run(String script, Object... arguments) {
            driver.switchTo().window(window);
            return driver.executeScript(script, arguments);
        }

        /** The value of a JavaScript expression in it. */
        public Object eval(String expression) {
            driver.switchTo().window(window);
            return Browser.this.eval(expression);
        }

        /** Waits until a JavaScript expression is true in it. */
        public void await(String expression) {
            driver.switchTo().window(window);
            Browser.this.await(expression);
        }

        /** Closes the tab. */
        public void close() {
            driver.switchTo().window(window);
            driver.close();
        }
    }

    /** The value of a JavaScript expression in the page. */
    public Object eval(String expression) {
        return ((JavascriptExecutor) driver).executeScript("return (" + expression + ")");
    }

    /** Waits until a JavaScript expression is true in the page. */
    public void await(String expression) {
        await(expression, () -> Boolean.TRUE.equals(eval(expression)));
    }

    /** Waits until a condition that the page's scripts alone can't tell holds; {@code what} names it. */
    public void await(String what, Supplier<Boolean> condition) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.get()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("never true in the page: " + what + "\n" + eval("document.body.innerText")
                        + "\nevents: " + eval("String(window.events)"));
            }
            try {
                Thread.sleep(POLL_MILLIS); // between two looks at the page, which has its own time
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted", e);
            }
        }
    }

    /** The window as a PNG. */
    public byte[] screenshot() {
        return ((TakesScreenshot) driver).getScreenshotAs(OutputType.BYTES);
    }

    @Override
    public void close() {
        driver.quit();
        try {
            Files.walkFileTree(profile, DELETING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
