package com.proxymesh

import java.time.LocalDate
import com.proxymesh.internal.LabeledIp as FfiLabeledIp
import com.proxymesh.internal.NewToken as FfiNewToken
import com.proxymesh.internal.Proxy as FfiProxy
import com.proxymesh.internal.SubAccount as FfiSubAccount
import com.proxymesh.internal.Token as FfiToken

// Converts the values of the native library to those of the public classes.

internal fun FfiSubAccount.fromFfi() =
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

internal fun FfiLabeledIp.fromFfi() = LabeledIp(ip, label)

internal fun FfiProxy.fromFfi() = Proxy(checked())

internal fun FfiProxy.checked() = CheckedProxy(host, port, addressHost, name, url, country, choosesCountry)

internal fun FfiToken.fromFfi() = Token(id, label, isActive, expiresAt?.let(LocalDate::parse), createdAt)

internal fun FfiNewToken.fromFfi() = NewToken(token.fromFfi(), secret)
