package com.proxymesh.libraries;

import com.proxymesh.ProxyServer;
import com.proxymesh.okhttp.ProxyMeshOkHttp;
import java.io.IOException;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jsoup.Connection;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;

/** The code of the guide. */
final class JsoupGuide {
    static Document withOkHttp(OkHttpClient.Builder builder, ProxyServer proxy, String page) throws IOException {
        var client = ProxyMeshOkHttp.proxyMesh(builder, proxy).build();
        try (var response = client.newCall(new Request.Builder().url(page).build()).execute()) {
            return Jsoup.parse(response.body().byteStream(), null, page);
        }
    }

    static Document fromAuthorisedIp(Connection connection, ProxyServer proxy) throws IOException {
        var address = proxy.getAddress();
        return connection.proxy(address.getHostString(), address.getPort()).get();
    }

    private JsoupGuide() {}
}
