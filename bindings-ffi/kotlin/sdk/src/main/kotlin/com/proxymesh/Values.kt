package com.proxymesh

import com.proxymesh.internal.ProxyInput
import com.proxymesh.internal.proxyWith
import java.time.LocalDate
import com.proxymesh.internal.Access as FfiAccess
import com.proxymesh.internal.Credentials as FfiCredentials
import com.proxymesh.internal.LabeledIp as FfiLabeledIp
import com.proxymesh.internal.NewToken as FfiNewToken
import com.proxymesh.internal.Proxy as FfiProxy
import com.proxymesh.internal.ProxyCheck as FfiProxyCheck
import com.proxymesh.internal.ProxyStats as FfiProxyStats
import com.proxymesh.internal.SubAccount as FfiSubAccount
import com.proxymesh.internal.Token as FfiToken

// Converts the values of the native library to those of the public classes.

internal fun FfiSubAccount.fromFfi() =
    SubAccount(
        username = username,
        isActive = active,
        monthlyBandwidth = monthlyBandwidth,
        totalBandwidth = totalBandwidth,
        monthlyBandwidthLimit = monthlyBandwidthLimit,
        totalBandwidthLimit = totalBandwidthLimit,
        firstName = firstName,
        lastName = lastName,
        email = email,
    )

internal fun FfiLabeledIp.fromFfi() = LabeledIp(ip, label)

internal fun FfiProxy.fromFfi() = ProxyServer(checked())

internal fun FfiProxy.checked() =
    CheckedProxy(host, port, addressHost, name, plainUrl, country, choosesCountry, access?.credentials?.fromFfi(), access.exit(),
        access?.rotating == true)

private fun FfiAccess?.exit(): ExitChoice = if (this == null) NO_CHOICE else ExitChoice(CheckedExit(exit))

private fun FfiCredentials.fromFfi(): Credentials =
    when (this) {
        is FfiCredentials.Basic -> Credentials(username, password)
        is FfiCredentials.Bearer -> Credentials(null, token)
    }

/** The same proxy with these credentials and this exit choice, which the library checks. */
internal fun ProxyServer.with(credentials: Credentials?, exit: ExitChoice): ProxyServer =
    run(proxyWith(ProxyInput(host, port, FfiAccess(credentials?.toFfi(), exit.toFfi(), isRotating)))) { it.fromFfi() }

internal fun ProxyServer.toFfi(): ProxyInput {
    val hasAccess = credentials != null || exitChoice != NO_CHOICE || isRotating
    return ProxyInput(host, port, if (hasAccess) FfiAccess(credentials?.toFfi(), exitChoice.toFfi(), isRotating) else null)
}

private fun Credentials.toFfi() = if (username == null) FfiCredentials.Bearer(secret) else FfiCredentials.Basic(username, secret)

/** The choice that leaves everything to the proxy. */
private val NO_CHOICE = ExitChoice(CheckedExit(null, null, emptyList(), null))

internal fun FfiProxyCheck.fromFfi() =
    ProxyCheck(ok, reachable, status, exitIp, preferredIpIsGone, error, duration(latency), meaning)

internal fun FfiProxyStats.fromFfi() =
    ProxyStats(proxy.fromFfi(), handedOut, successes, failures, bytes, latency?.let(::duration), cooling?.let(::duration))

internal fun FfiToken.fromFfi() = Token(id, label, isActive, expiresAt?.let(LocalDate::parse), createdAt)

internal fun FfiNewToken.fromFfi() = NewToken(token.fromFfi(), secret)
