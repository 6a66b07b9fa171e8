package simplechat.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatusServerTest {
  private static final int CONNECTIONS_MAX = 16;

  private final HttpClient client = HttpClient.newHttpClient();
  private volatile CompletionStage<ServerMetrics> metrics =
      CompletableFuture.completedFuture(figures());
  private volatile @Nullable String unready;
  private StatusServer server;

  @BeforeEach
  void start() throws Exception {
    server = start(Duration.ofSeconds(30));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /** A loop that ends at once could leave what it has just begun to listen to. */
  @Test
  void whoIsClosedRightAfterTheStartListensNoMore() throws Exception {
    for (int i = 0; i < 50; i++) {
      StatusServer brief = start(Duration.ofSeconds(30));
      int port = brief.address().getPort();
      brief.close();
      await()
          .untilAsserted(
              () ->
                  assertThatThrownBy(
                          () -> new Socket(InetAddress.getLoopbackAddress(), port).close())
                      .isInstanceOf(ConnectException.class));
    }
  }

  /** A program may start servers and stop them as often as it likes, as its tests will. */
  @Test
  void serversThatCameAndWentLeaveNoMemoryBehind() throws Exception {
    comeAndGo();
    long before = heldBytes();
    for (int i = 0; i < 100; i++) {
      comeAndGo();
    }
    // What is left goes when the loops' threads have ended.
    await().until(() -> heldBytes() - before, more -> more < 1024 * 1024);
  }

  private void comeAndGo() throws Exception {
    StatusServer brief = start(Duration.ofSeconds(30));
    assertThat(send(request(brief, "/metrics")).statusCode()).isEqualTo(200);
    brief.close();
  }

  private static long heldBytes() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  @Test
  void prometheusGetsEveryFigure() throws Exception {
    HttpResponse<String> answer = get("/metrics");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("content-type").orElseThrow())
        .startsWith("text/plain; version=0.0.4");
    assertThat(answer.body())
        .contains(
            "chat_members 3.0\n",
            "chat_members_away 4.0\n",
            "chat_connections_open 5.0\n",
            "chat_connections_opened_total 9.0\n",
            "chat_connections_closed_total{reason=\"left\"} 3.0\n",
            "chat_connections_closed_total{reason=\"slow\"} 1.0\n",
            "chat_refusals_total{reason=\"name_taken\"} 2.0\n",
            "chat_joins_total{how=\"came_back\"} 6.0\n",
            "chat_joins_total{how=\"joined\"} 11.0\n",
            "chat_messages_total 12.0\n",
            "chat_deliveries_total 13.0\n",
            "chat_received_bytes_total 14.0\n",
            "chat_sent_bytes_total 15.0\n",
            "chat_gaps_total 16.0\n",
            "chat_missed_events_total 17.0\n",
            "chat_log_start_position 18.0\n",
            "chat_log_end_position 19.0\n",
            "chat_log_bytes 20.0\n",
            "chat_lag_bytes{quantile=\"1\"} 21.0\n",
            "chat_lag_bytes{quantile=\"0.99\"} 22.0\n",
            "chat_loop_delay_seconds_bucket{le=\"0.005\"} 3\n",
            "chat_loop_delay_seconds_bucket{le=\"+Inf\"} 28\n",
            "chat_loop_delay_seconds_sum 0.5\n",
            "chat_direct_memory_bytes 23.0\n",
            "chat_log_lines_lost_total 25.0\n",
            "chat_redis_up 1.0\n",
            "chat_redis_waiting_messages 26.0\n",
            "chat_redis_waiting_bytes 27.0\n",
            "chat_redis_call_seconds 0.028\n",
            "chat_redis_skipped_entries_total 29.0\n",
            "chat_redis_reconnects_total 30.0\n",
            "chat_ready 1.0\n",
            "\njvm_memory_used_bytes{area=\"heap\"} ",
            "\nprocess_open_fds ");
  }

  @Test
  void thePageIsOneFileThatAsksNobodyElse() throws Exception {
    HttpResponse<String> page = get("/");
    assertThat(page.headers().firstValue("content-type").orElseThrow()).startsWith("text/html");
    assertThat(page.headers().firstValue("content-security-policy").orElseThrow())
        .contains("default-src 'none'");
    assertThat(page.body()).doesNotContain("http:", "https:", "//cdn", "@import", "src=");
    HttpResponse<String> json = get("/status.json?again");
    assertThat(json.headers().firstValue("content-type")).contains("application/json");
    assertThat(json.body())
        .startsWith("{\"unready\":\"\",\"upSeconds\":0,\"open\":5,\"opened\":9,\"closed\":{")
        .contains("\"left\":3,\"lost\":0,\"slow\":1}", "\"members\":3,", "\"logLinesLost\":25}")
        .contains(
            "\"redis\":{\"callMicros\":28000,\"reconnects\":30,\"skipped\":29,\"up\":1,"
                + "\"waitingBytes\":27,\"waitingMessages\":26}");
  }

  @Test
  void itIsReadyAsLongAsNothingSpeaksAgainstIt() throws Exception {
    assertThat(get("/health/ready").statusCode()).isEqualTo(200);
    unready = "draining";
    assertThat(get("/health/ready").statusCode()).isEqualTo(503);
    assertThat(get("/health/ready").body()).isEqualTo("draining\n");
    assertThat(get("/metrics").body()).contains("chat_ready 0.0\n");
    assertThat(get("/status.json").body()).startsWith("{\"unready\":\"draining\",");
    assertThat(get("/health/live").statusCode()).isEqualTo(200);
  }

  @Test
  void itLivesAsLongAsTheLoopsAnswer() throws Exception {
    metrics = new CompletableFuture<>();
    stop();
    // Also long enough for the first request that this JVM makes.
    server = start(Duration.ofSeconds(2));
    HttpResponse<String> answer = get("/health/live");
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.body()).contains("does not answer");
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
  void nothingButGetIsAllowed(String method) throws Exception {
    HttpResponse<String> answer =
        send(request("/").method(method, HttpRequest.BodyPublishers.ofString("x".repeat(100))));
    assertThat(answer.statusCode()).isEqualTo(405);
    assertThat(answer.headers().firstValue("allow")).contains("GET");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/x", "/metrics/", "/../etc/passwd", "//", "/status.html"})
  void otherPathsLeadNowhere(String path) throws Exception {
    assertThat(raw("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")).startsWith("HTTP/1.1 404 ");
  }

  @Test
  void requestsAreSmallAndWellFormed() throws Exception {
    assertThat(raw("GET /" + "x".repeat(2000) + " HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 400 ");
    assertThat(raw("GET / HTTP/1.1\r\nA: " + "x".repeat(9000))).startsWith("HTTP/1.1 400 ");
    assertThat(raw("nonsense\r\n\r\n")).startsWith("HTTP/1.1 400 ");
    // Of two requests in one the second has no effect.
    assertThat(raw("GET /x HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n").split("HTTP/1.1 404"))
        .hasSize(2);
  }

  @Test
  void onlySoManyAreConnected() throws Exception {
    List<Socket> idle = new ArrayList<>();
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
      idle.add(connect());
    }
    try (Socket oneMore = connect()) {
      oneMore.setSoTimeout(3_000);
      assertThat(oneMore.getInputStream().read()).isEqualTo(-1);
    }
    for (Socket socket : idle) {
      socket.close();
    }
    await().until(() -> get("/health/live").statusCode() == 200);
  }

  @Test
  void whoNeverAsksOrReadsIsNotConnectedForLong() throws Exception {
    stop();
    server = start(Duration.ofMillis(300));
    try (Socket silent = connect();
        Socket half = connect()) {
      half.getOutputStream().write("GET /metrics HTTP/1.1\r\n".getBytes(StandardCharsets.UTF_8));
      assertThat(silent.getInputStream().read()).isEqualTo(-1);
      assertThat(half.getInputStream().read()).isEqualTo(-1);
    }
  }

  private StatusServer start(Duration patience) throws Exception {
    StatusServer.Source source =
        new StatusServer.Source() {
          @Override
          public CompletionStage<ServerMetrics> metrics() {
            return metrics;
          }

          @Override
          public @Nullable String unready() {
            return unready;
          }
        };
    return StatusServer.start("127.0.0.1", 0, source, patience)
        .toCompletableFuture()
        .get(10, TimeUnit.SECONDS);
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(request(path));
  }

  private HttpRequest.Builder request(String path) {
    return request(server, path);
  }

  private static HttpRequest.Builder request(StatusServer asked, String path) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + asked.address().getPort() + path))
        .timeout(Duration.ofSeconds(10));
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private String raw(String request) throws IOException {
    try (Socket socket = connect()) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(server.address().getAddress(), server.address().getPort());
    socket.setSoTimeout(10_000);
    return socket;
  }

  private static ServerMetrics figures() {
    return new ServerMetrics(
        new ServerMetrics.Connections(
            9, 5, Map.of("left", 3L, "slow", 1L, "lost", 0L), Map.of("name_taken", 2L)),
        new ServerMetrics.InRoom(3, 4, 7, 11, 6, 12, 18, 19, 20),
        new ServerMetrics.Traffic(13, 14, 15, 16, 17),
        new ServerMetrics.Lag(21, 22),
        new ServerMetrics.Delay(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L), Duration.ofMillis(500)),
        new ServerMetrics.Memory(23, 24),
        new ServerMetrics.Shared(true, 26, 27, Duration.ofMillis(28), 29, 30),
        25);
  }
}
