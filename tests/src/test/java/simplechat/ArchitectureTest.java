package simplechat;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The walls between the packages. Every rule says how many classes it must have looked at. */
class ArchitectureTest {
  private static final String OURS = "simplechat..";

  /** Two programs, of which each is more than its name: wait, print, and know the hour. */
  private static final DescribedPredicate<JavaClass> MAIN =
      DescribedPredicate.describe("a *Main", type -> outermost(type).endsWith("Main"));

  private static final Pattern TEST_JAR = Pattern.compile(".*-tests\\.jar!.*");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption((Location location) -> !location.matches(TEST_JAR))
          .importPackages("simplechat");

  /**
   * What a package sees.
   *
   * @param least number of classes that it has
   * @param ours packages of this project, without the prefix
   * @param others packages of other projects
   */
  record Wall(String name, int least, Set<String> ours, List<String> others) {
    String[] visible() {
      return Stream.concat(
              Stream.of("java..", "org.jspecify.annotations..", "simplechat." + name),
              Stream.concat(ours.stream().map(one -> "simplechat." + one), others.stream()))
          .toArray(String[]::new);
    }
  }

  static Stream<Wall> walls() {
    return Stream.of(
        new Wall("protocol", 20, Set.of(), List.of("io.netty.buffer")),
        new Wall("room", 12, Set.of("protocol"), List.of("io.netty.buffer")),
        new Wall(
            "redis",
            10,
            Set.of("protocol", "room"),
            List.of(
                "io.netty.buffer",
                "io.netty.channel..",
                "io.netty.util.concurrent",
                "io.lettuce..",
                "org.slf4j")),
        new Wall("status", 5, Set.of(), List.of("io.netty..", "io.prometheus..")),
        new Wall("log", 2, Set.of(), List.of("ch.qos.logback..", "org.slf4j..")),
        new Wall(
            "server",
            10,
            Set.of("protocol", "room", "status", "log"),
            List.of("io.netty..", "javax.net.ssl", "org.slf4j..", "picocli", "com.sun.management")),
        new Wall(
            "bench",
            5,
            Set.of("protocol"),
            List.of("io.netty.buffer", "javax.net.ssl", "org.HdrHistogram")),
        new Wall(
            "client", 5, Set.of("protocol"), List.of("io.netty..", "javax.net.ssl", "org.slf4j")),
        new Wall(
            "cli",
            5,
            Set.of("protocol", "client"),
            List.of("org.jline..", "picocli", "org.slf4j")));
  }

  @ParameterizedTest
  @MethodSource("walls")
  void aPackageSeesNothingBeyondItsWall(Wall wall) {
    JavaClasses inside = CLASSES.that(resideInAPackage("simplechat." + wall.name()));
    assumeTrue(inside.iterator().hasNext(), "there is no package " + wall.name() + " yet");
    ArchRule rule =
        classes()
            .that(DescribedPredicate.not(MAIN))
            .should()
            .onlyDependOnClassesThat(resideInAnyPackage(wall.visible()));
    check(rule, inside, wall.least());
  }

  @Test
  void everyPackageHasAWall() {
    Set<String> walled = Set.copyOf(walls().map(wall -> "simplechat." + wall.name()).toList());
    assertThat(CLASSES).isNotEmpty();
    assertThat(CLASSES).extracting(JavaClass::getPackageName).allMatch(walled::contains);
  }

  @Test
  void aMainSeesItsOwnProgramAndPicocli() {
    ArchRule rule =
        classes()
            .should()
            .onlyDependOnClassesThat(
                resideInAnyPackage(
                    "java..",
                    OURS,
                    "picocli",
                    "org.jspecify..",
                    "org.slf4j..",
                    "io.netty.util",
                    "org.jline.."));
    check(rule, CLASSES.that(MAIN), 1);
  }

  @Test
  void nobodyNeedsAProgram() {
    for (String end : List.of("server", "cli", "bench")) {
      JavaClasses outside =
          CLASSES.that(DescribedPredicate.not(resideInAPackage("simplechat." + end)));
      check(
          noClasses().should().dependOnClassesThat(resideInAPackage("simplechat." + end)),
          outside,
          30);
    }
  }

  @Test
  void theRoomKnowsNoSockets() {
    check(
        noClasses()
            .should()
            .dependOnClassesThat(
                resideInAnyPackage("java.net..", "java.nio.channels..", "io.netty.channel..")),
        CLASSES.that(resideInAnyPackage("simplechat.room", "simplechat.protocol")),
        30);
  }

  @Test
  void packagesFormNoCircle() {
    check(slices().matching("simplechat.(*)..").should().beFreeOfCycles(), CLASSES, 40);
  }

  @Test
  void everyPackageIsNullMarked() {
    Set<String> packages =
        Set.copyOf(Stream.of(CLASSES).flatMap(ArchitectureTest::packages).toList());
    assertThat(packages).hasSizeGreaterThanOrEqualTo(3);
    for (String name : packages) {
      assertThat(CLASSES.getPackage(name).isAnnotatedWith(NullMarked.class)).as(name).isTrue();
    }
  }

  @Test
  void nothingWaitsOnALoop() {
    DescribedPredicate<JavaAccess<?>> waiting =
        DescribedPredicate.describe("waits", access -> waits(access.getTarget()));
    check(noClasses().should().accessTargetWhere(waiting), onLoops(), 40);
    check(noClasses().should().dependOnClassesThat().areAssignableTo(Lock.class), onLoops(), 40);
  }

  @Test
  void nothingTakesAMonitor() throws IOException {
    for (JavaClass type : onLoops()) {
      assertThat(type.getMethods())
          .noneMatch(method -> method.getModifiers().contains(JavaModifier.SYNCHRONIZED));
    }
    Pattern block = Pattern.compile("\\bsynchronized *\\(");
    List<Path> sources = Sources.main();
    assertThat(sources).hasSizeGreaterThanOrEqualTo(30);
    for (Path source : sources) {
      if (!source.toString().contains("/cli/")) {
        assertThat(Files.readString(source)).as(source.toString()).doesNotContainPattern(block);
      }
    }
  }

  @Test
  void onlyProgramsPrint() {
    DescribedPredicate<JavaAccess<?>> printing =
        DescribedPredicate.describe(
            "prints",
            access ->
                (access.getTargetOwner().isEquivalentTo(System.class)
                        && Set.of("out", "err", "in").contains(access.getName()))
                    || access.getName().equals("printStackTrace"));
    check(
        noClasses().should().accessTargetWhere(printing),
        CLASSES.that(
            DescribedPredicate.not(MAIN)
                .and(DescribedPredicate.not(resideInAPackage("simplechat.cli")))),
        40);
  }

  @Test
  void theWallClockIsReadThroughAnInjectedOne() {
    DescribedPredicate<JavaAccess<?>> reading =
        DescribedPredicate.describe("reads the wall clock", access -> readsWallClock(access));
    check(noClasses().should().accessTargetWhere(reading), CLASSES, 40);
    DescribedPredicate<JavaAccess<?>> making =
        DescribedPredicate.describe(
            "makes a clock",
            access ->
                access.getTargetOwner().isAssignableTo(Clock.class)
                    && (access.getName().startsWith("system")
                        || access.getName().startsWith("tick")));
    check(
        noClasses().should().accessTargetWhere(making),
        CLASSES.that(
            DescribedPredicate.not(MAIN)
                .and(
                    DescribedPredicate.describe(
                        "not the server", type -> !type.getSimpleName().equals("ChatServer")))),
        40);
  }

  @Test
  void nothingIsStaticAndMutable() {
    check(fields().that().areStatic().should().beFinal(), CLASSES, 40);
    check(
        fields()
            .that()
            .areStatic()
            .should()
            .notHaveRawType(
                DescribedPredicate.describe(
                    "a holder",
                    type ->
                        type.getPackageName().equals("java.util.concurrent.atomic")
                            || type.isAssignableTo(ThreadLocal.class)
                            || type.isAssignableTo(StringBuilder.class))),
        CLASSES,
        40);
  }

  @Test
  void namesSayWhatAThingIs() {
    Pattern banned =
        Pattern.compile(
            ".*(Impl|Manager|Helper|Utils?|Service|Handler|Data|Info|Base)"
                + "|(Abstract|Default|Real|New|I)[A-Z][a-z].*");
    assertThat(CLASSES).hasSizeGreaterThanOrEqualTo(40);
    assertThat(CLASSES)
        .extracting(JavaClass::getSimpleName)
        .noneMatch(name -> banned.matcher(name).matches());
  }

  @Test
  void aClassIsPublicOnlyForAnotherPackage() {
    Set<String> published =
        Set.of(
            "ChatServer",
            "ServerConfig",
            "Opening",
            "TransportChoice",
            "TlsFiles",
            "ChatClient",
            "JoinRequest",
            "RoomEvent",
            "BacklogFullException");
    List<JavaClass> open =
        CLASSES.stream()
            .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
            .filter(type -> type.isTopLevelClass() && !MAIN.test(type))
            .filter(type -> !type.getPackageName().equals("simplechat.protocol"))
            .filter(type -> !published.contains(type.getSimpleName()))
            .toList();
    assertThat(open).hasSizeGreaterThanOrEqualTo(5);
    assertThat(open)
        .allMatch(
            type ->
                type.getDirectDependenciesToSelf().stream()
                    .anyMatch(
                        use ->
                            !use.getOriginClass().getPackageName().equals(type.getPackageName())));
  }

  private static void check(ArchRule rule, JavaClasses examined, int least) {
    assertThat(examined).as("classes examined").hasSizeGreaterThanOrEqualTo(least);
    rule.check(examined);
  }

  /** Everything but the programs, where a terminal or the taker of the log must be waited for. */
  private static JavaClasses onLoops() {
    return CLASSES.that(
        DescribedPredicate.not(MAIN)
            .and(DescribedPredicate.not(resideInAnyPackage("simplechat.cli", "simplechat.log"))));
  }

  private static Stream<String> packages(JavaClasses classes) {
    return classes.stream().map(JavaClass::getPackageName);
  }

  private static boolean waits(AccessTarget target) {
    JavaClass owner = target.getOwner();
    String name = target.getName();
    boolean timed = Set.of("sleep", "join", "onSpinWait").contains(name);
    return (owner.isAssignableTo(Thread.class) && timed)
        || (owner.isEquivalentTo(Object.class) && name.equals("wait"))
        || (owner.isAssignableTo(Future.class) && name.equals("get"))
        || (owner.isAssignableTo(CompletableFuture.class) && name.equals("join"))
        || (owner.isAssignableTo(io.netty.util.concurrent.Future.class)
            && (name.startsWith("sync") || name.startsWith("await")))
        || (owner.isAssignableTo(CountDownLatch.class) && name.equals("await"))
        || (owner.isAssignableTo(Semaphore.class) && name.startsWith("acquire"))
        || (owner.isAssignableTo(BlockingQueue.class) && Set.of("take", "put").contains(name))
        || (owner.isAssignableTo(LockSupport.class) && name.startsWith("park"))
        || name.equals("awaitTermination");
  }

  private static boolean readsWallClock(JavaAccess<?> access) {
    JavaClass owner = access.getTargetOwner();
    boolean bare =
        access.getTarget() instanceof AccessTarget.CodeUnitAccessTarget code
            && code.getRawParameterTypes().isEmpty();
    return (owner.isEquivalentTo(System.class) && access.getName().equals("currentTimeMillis"))
        || (owner.getPackageName().equals("java.time") && access.getName().equals("now") && bare)
        || (owner.isAssignableTo(java.util.Date.class) && access.getName().equals("<init>") && bare)
        || (owner.isEquivalentTo(Instant.class) && access.getName().equals("now") && bare);
  }

  private static String outermost(JavaClass type) {
    String name = type.getName().substring(type.getPackageName().length() + 1);
    int dollar = name.indexOf('$');
    return dollar < 0 ? name : name.substring(0, dollar);
  }
}
