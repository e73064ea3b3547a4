package com.proxymesh.libraries

import com.proxymesh.ProxyServer
import com.proxymesh.okhttp.proxyMesh
import io.ktor.client.HttpClient
import io.ktor.client.engine.okhttp.OkHttp
import okhttp3.OkHttpClient

/** The code of the guide. */
internal fun ktorWithOkHttp(builder: OkHttpClient.Builder, proxy: ProxyServer): HttpClient {
    val client = HttpClient(OkHttp) {
        engine { preconfigured = builder.proxyMesh(proxy).build() }
    }
    return client
}
