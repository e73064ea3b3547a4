package com.proxymesh.apache

import com.proxymesh.support.Certificate
import org.apache.hc.client5.http.DnsResolver
import org.apache.hc.client5.http.classic.methods.HttpGet
import org.apache.hc.client5.http.config.RequestConfig
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder
import org.apache.hc.client5.http.impl.classic.HttpClients
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder
import org.apache.hc.client5.http.protocol.HttpClientContext
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy
import org.apache.hc.core5.http.io.entity.EntityUtils
import org.apache.hc.core5.util.Timeout

/** A builder of clients that trust the sites. */
internal fun trusting(dns: DnsResolver? = null): HttpClientBuilder = HttpClients.custom().setConnectionManager(
    PoolingHttpClientConnectionManagerBuilder.create().setTlsSocketStrategy(DefaultClientTlsStrategy(Certificate.tls))
        .setDnsResolver(dns).build(),
).setDefaultRequestConfig(RequestConfig.custom().setResponseTimeout(Timeout.ofSeconds(20)).build())

/** What a test needs of a response. */
internal class Fetched(val status: Int, val exitIp: String?, val error: String?)

internal fun CloseableHttpClient.fetch(url: String, context: HttpClientContext? = null, change: HttpGet.() -> Unit = {}): Fetched =
    execute(HttpGet(url).apply(change), context) {
        EntityUtils.consume(it.entity)
        Fetched(it.code, it.getHeader("X-ProxyMesh-IP")?.value, it.getHeader("X-ProxyMesh-Error")?.value)
    }
