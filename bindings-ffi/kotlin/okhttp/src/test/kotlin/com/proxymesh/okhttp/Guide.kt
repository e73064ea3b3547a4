package com.proxymesh.okhttp

import com.proxymesh.ProxyServer
import okhttp3.OkHttpClient
import okhttp3.Request

/** The Kotlin code of the guide. */
internal fun guide(builder: OkHttpClient.Builder, proxy: ProxyServer, page: String): OkHttpClient {
    val client = builder.proxyMesh(proxy).build()
    try {
        client.newCall(Request.Builder().url(page).build()).execute().use { response ->
            println("${response.code}, exit IP ${response.header("X-ProxyMesh-IP")}, ${response.header("X-ProxyMesh-Error")}")
        }
    } catch (error: ProxyRefusedException) {
        println("${error.status}: ${error.reason}")
    }
    return client
}
