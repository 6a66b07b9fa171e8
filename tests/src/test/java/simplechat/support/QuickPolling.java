package simplechat.support;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Looks every few milliseconds whether what a test awaits is so, from the first moment on. With the
 * library's tenth of a second most of the suite's time would be spent in waiting for nothing.
 *
 * <p>Registered for all tests by META-INF/services and junit-platform.properties.
 */
public final class QuickPolling implements BeforeAllCallback {
  @Override
  public void beforeAll(ExtensionContext context) {
    Awaitility.setDefaultPollDelay(Duration.ZERO);
    Awaitility.setDefaultPollInterval(Duration.ofMillis(5));
  }
}
