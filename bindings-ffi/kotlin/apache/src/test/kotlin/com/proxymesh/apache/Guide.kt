package com.proxymesh.apache

import com.proxymesh.ProxyServer
import org.apache.hc.client5.http.classic.methods.HttpGet
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder

/** The Kotlin code of the guide. */
internal fun guide(builder: HttpClientBuilder, proxy: ProxyServer, page: String) {
    builder.proxyMesh(proxy).build().use { client ->
        client.execute(HttpGet(page)) { response ->
            println("${response.code}, ${response.getFirstHeader("X-ProxyMesh-IP")}, ${response.getFirstHeader("X-ProxyMesh-Error")}")
        }
    }
}
