package com.proxymesh.okhttp

import com.proxymesh.support.Certificate
import java.util.concurrent.TimeUnit
import okhttp3.OkHttpClient
import okhttp3.Request

/** A builder of clients that trust the sites. */
internal fun trusting(): OkHttpClient.Builder = OkHttpClient.Builder()
    .sslSocketFactory(Certificate.tls.socketFactory, Certificate.trust)
    .callTimeout(20, TimeUnit.SECONDS)

/** What a test needs of a response. */
internal class Fetched(val status: Int, val exitIp: String?, val error: String?)

internal fun OkHttpClient.fetch(url: String, change: Request.Builder.() -> Unit = {}): Fetched =
    newCall(Request.Builder().url(url).apply(change).build()).execute().use {
        it.body!!.bytes()
        Fetched(it.code, it.header("X-ProxyMesh-IP"), it.header("X-ProxyMesh-Error"))
    }
