package com.proxymesh

/**
 * An authorised IP and its label.
 *
 * @property ip the address, IPv4 or IPv6.
 * @property label the label; empty if there is none.
 */
public class LabeledIp(public val ip: String, public val label: String) {
    /** Whether both have the same address and label. */
    override fun equals(other: Any?): Boolean = other is LabeledIp && ip == other.ip && label == other.label

    /** A hash of the address and the label. */
    override fun hashCode(): Int = 31 * ip.hashCode() + label.hashCode()

    /** All properties. */
    override fun toString(): String = "LabeledIp(ip=$ip, label=$label)"
}
