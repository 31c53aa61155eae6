// SPDX-License-Identifier: Apache-2.0
// Calls as Java's HttpClient writes them: java Forms.java http://HOST:PORT
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

public class Forms {
    private static void call(HttpClient client, URI target, String kind, BodyPublisher body,
                             int status, String want) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(target).POST(body);
        if (kind != null)
            request.header("Content-Type", kind);
        var answer = client.send(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
        if (answer.statusCode() != status || !answer.body().contains(want))
            throw new AssertionError(target + " " + kind + ": " + answer + " " + answer.body());
    }

    private static BodyPublisher stream(String text) { // of unknown length: in chunks
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes));
    }

    public static void main(String[] arguments) throws Exception {
        URI base = URI.create(arguments[0]);
        URI target = base.resolve("/v1/up/m");
        var proxy = ProxySelector.of(new InetSocketAddress(base.getHost(), base.getPort()));
        HttpClient[] clients = {
            HttpClient.newHttpClient(), // which asks for an upgrade to HTTP/2 each time
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(),
            HttpClient.newBuilder().proxy(proxy).build(),
        };
        for (HttpClient client : clients) {
            String json = "application/json";
            call(client, target, json, BodyPublishers.ofString("[\"\u00e4\"]"), 200, "\"\u00e4\"");
            call(client, target, json + ";charset=UTF8", BodyPublishers.ofString("[7]"), 200, "7");
            call(client, target, json + "; charset=US-ASCII", stream("[7]"), 200, "7");
            call(client, target, json, stream("\ufeff[7]"), 200, "7");
            call(client, target, null, BodyPublishers.noBody(), 200, "\"\"");
            call(client, target, null, stream(""), 200, "\"\"");
            call(client, target, null, stream("[1]"), 415, "unsupported-media-type");
        }
        System.out.println("all is well");
    }
}
