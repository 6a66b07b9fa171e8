package simplechat.protocol;

import java.util.Map;
import java.util.stream.Collectors;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs benchmarks for a moment: not for their times, but so that they work, and for garbage. */
public final class Benchmarks {
  private static final TimeValue MOMENT = TimeValue.milliseconds(300);

  static {
    // Nothing is timed, so two builds on one machine do not disturb each other.
    System.setProperty("jmh.ignoreLock", "true");
  }

  private Benchmarks() {}

  /** Bytes of heap that one operation of each benchmark takes, by the method's name. */
  public static Map<String, Double> allocatedBytes(Class<?> benchmark) throws RunnerException {
    OptionsBuilder options = new OptionsBuilder();
    options.include(benchmark.getName()).forks(0).verbosity(VerboseMode.SILENT);
    options.warmupIterations(2).warmupTime(MOMENT).measurementIterations(1).measurementTime(MOMENT);
    options.addProfiler(GCProfiler.class);
    return new Runner(options)
        .run().stream()
            .collect(
                Collectors.toMap(
                    result -> result.getPrimaryResult().getLabel(),
                    result -> result.getSecondaryResults().get("gc.alloc.rate.norm").getScore()));
  }
}
