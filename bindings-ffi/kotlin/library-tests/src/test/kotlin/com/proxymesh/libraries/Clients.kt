package com.proxymesh.libraries

import com.proxymesh.ProxyServer
import com.proxymesh.support.Certificate
import com.proxymesh.support.Proxied
import com.proxymesh.support.text
import java.util.concurrent.TimeUnit
import kotlinx.serialization.json.JsonObject
import okhttp3.OkHttpClient

/** A builder of clients that trust the sites. */
internal fun trusting(): OkHttpClient.Builder = OkHttpClient.Builder()
    .sslSocketFactory(Certificate.tls.socketFactory, Certificate.trust)
    .callTimeout(20, TimeUnit.SECONDS)

/** The headers for the proxy that the site has received in its only request. */
internal fun Proxied.leaked(): Set<String> =
    site.seen().single().headers.keys.filter { it.startsWith("proxy-auth") || it.startsWith("x-proxymesh") }.toSet()

/** The requests for the site's pages that the proxy let through. A browser also makes requests of its own, which are left out. */
internal fun Proxied.ofPages(): List<JsonObject> = sandbox.proxied().filter {
    "site.test" in it.text("target") && "favicon" !in it.text("target") && it.text("status") == "200"
}

/** The address for libraries that want it as text. */
internal val ProxyServer.hostAndPort: String get() = "${address.hostString}:$port"
