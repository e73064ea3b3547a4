package com.proxymesh.apache;

import com.proxymesh.ProxyServer;
import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;

/** The Java code of the guide. */
final class GuideInJava {
    static void guide(HttpClientBuilder builder, ProxyServer proxy, String page) throws IOException {
        try (var client = ProxyMeshApache.proxyMesh(builder, proxy.rotating()).build()) {
            int status = client.execute(new HttpGet(page), response -> response.getCode());
            System.out.println(status);
        }
    }

    private GuideInJava() {}
}
