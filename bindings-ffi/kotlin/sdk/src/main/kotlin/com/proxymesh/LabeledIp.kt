package com.proxymesh

/**
 * An authorised IP and its label.
 *
 * @property ip the address.
 * @property label the label; no label is the empty text.
 */
public data class LabeledIp(val ip: String, val label: String)
