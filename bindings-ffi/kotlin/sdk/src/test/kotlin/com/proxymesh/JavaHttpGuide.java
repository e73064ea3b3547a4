package com.proxymesh;

import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** The Java code of the guide. */
final class JavaHttpGuide {
    static HttpResponse<String> withToken(HttpClient.Builder builder, ProxyServer proxy, String page)
        throws IOException, InterruptedException {
        var client = builder.proxy(ProxySelector.of(proxy.getAddress())).build();
        var request = HttpRequest.newBuilder(URI.create(page));
        request.header("Proxy-Authorization", proxy.headers().get("Proxy-Authorization")); // not for an authorised IP
        var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return response;
    }

    private JavaHttpGuide() {}
}
