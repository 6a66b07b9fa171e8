package simplechat.status;

import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;

/**
 * One request and its answer, after which the connection is closed.
 *
 * <p>Threading: the status server's loop. Bounds: what comes behind the request is thrown away.
 */
final class StatusExchange extends SimpleChannelInboundHandler<HttpObject> {
  /** The page is all there is: nothing from elsewhere, no frame around it, no form. */
  private static final String POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
          + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private final StatusPages pages;
  private boolean asked;

  StatusExchange(StatusPages pages) {
    this.pages = pages;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
    if (asked || !(message instanceof HttpRequest request)) {
      return;
    }
    asked = true;
    if (request.decoderResult().isFailure()) {
      answer(ctx, StatusPages.Page.text(HttpResponseStatus.BAD_REQUEST.code(), "not a request"));
    } else if (!request.method().equals(HttpMethod.GET)) {
      answer(ctx, StatusPages.Page.text(HttpResponseStatus.METHOD_NOT_ALLOWED.code(), "only GET"));
    } else {
      pages
          .of(path(request.uri()))
          .whenComplete((page, e) -> ctx.executor().execute(() -> answer(ctx, page)));
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }

  private static String path(String uri) {
    int query = uri.indexOf('?');
    return query < 0 ? uri : uri.substring(0, query);
  }

  private static void answer(ChannelHandlerContext ctx, StatusPages.Page page) {
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(page.status()), page.body());
    HttpHeaders headers = response.headers();
    headers.set(HttpHeaderNames.CONTENT_TYPE, page.type());
    headers.set(HttpHeaderNames.CONTENT_LENGTH, page.body().readableBytes());
    headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    headers.set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
    headers.set(HttpHeaderNames.CONTENT_SECURITY_POLICY, POLICY);
    headers.set("x-content-type-options", "nosniff");
    if (page.status() == HttpResponseStatus.METHOD_NOT_ALLOWED.code()) {
      headers.set(HttpHeaderNames.ALLOW, HttpMethod.GET.name());
    }
    ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
  }
}
