package com.proxymesh.okhttp;

import com.proxymesh.ProxyServer;
import java.io.IOException;
import okhttp3.OkHttpClient;
import okhttp3.Request;

/** The Java code of the guide. */
final class GuideInJava {
    static void guide(OkHttpClient.Builder builder, ProxyServer proxy, String page) throws IOException {
        var client = ProxyMeshOkHttp.proxyMesh(builder, proxy.rotating()).build();
        try (var response = client.newCall(new Request.Builder().url(page).build()).execute()) {
            System.out.println(response.code());
        }
    }

    private GuideInJava() {}
}
