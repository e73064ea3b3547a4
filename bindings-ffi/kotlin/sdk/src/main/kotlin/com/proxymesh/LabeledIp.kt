package com.proxymesh

/**
 * An authorised IP and its label.
 *
 * @property ip the address, IPv4 or IPv6.
 * @property label the label; empty if there is none.
 */
public data class LabeledIp(val ip: String, val label: String)
