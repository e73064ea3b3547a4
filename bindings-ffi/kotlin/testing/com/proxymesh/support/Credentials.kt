package com.proxymesh.support

// Canaries: `make test-secrets` looks for them in all output.

const val USERNAME = "me+1@ex.com"
const val PASSWORD = "canary-password-7f3a91"
const val SUB_PASSWORD = "canary-sub-password-7f3a91"
const val TOKEN = "pm_canary7f3a91token"

/** The header for `me+1@ex.com:canary-password-7f3a91` that RFC 7617 prescribes. */
val BASIC = "Basic " + java.util.Base64.getEncoder().encodeToString("$USERNAME:$PASSWORD".toByteArray())
