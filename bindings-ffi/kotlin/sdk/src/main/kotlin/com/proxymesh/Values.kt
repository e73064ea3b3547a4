package com.proxymesh

import java.time.LocalDate
import com.proxymesh.internal.LabeledIp as CrossingLabeledIp
import com.proxymesh.internal.NewToken as CrossingNewToken
import com.proxymesh.internal.Proxy as CrossingProxy
import com.proxymesh.internal.SubAccount as CrossingSubAccount
import com.proxymesh.internal.Token as CrossingToken

// Converts the values of the native library to those of the public classes.

internal fun CrossingSubAccount.translated() =
    SubAccount(
        username = username,
        active = active,
        monthlyBandwidth = monthlyBandwidth,
        totalBandwidth = totalBandwidth,
        monthlyBandwidthLimit = monthlyBandwidthLimit,
        totalBandwidthLimit = totalBandwidthLimit,
        firstName = firstName,
        lastName = lastName,
        email = email,
    )

internal fun CrossingLabeledIp.translated() = LabeledIp(ip, label)

internal fun CrossingProxy.translated() = Proxy(checked())

internal fun CrossingProxy.checked() = CheckedProxy(host, port, addressHost, name, url, country, choosesCountry)

internal fun CrossingToken.translated() = Token(id, label, isActive, expiresAt?.let(LocalDate::parse), createdAt)

internal fun CrossingNewToken.translated() = NewToken(token.translated(), secret)
