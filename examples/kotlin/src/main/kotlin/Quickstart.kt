// The main tasks, end to end: list the proxies, authorise an IP, manage a sub-account.
//
// With PROXYMESH_SANDBOX set to the URL of a sandbox, which emulates the service, it needs no account. `make demo-kotlin` does
// this. With PROXYMESH_USERNAME and PROXYMESH_PASSWORD set, it talks to the real service and only reads.

import com.proxymesh.Client
import com.proxymesh.NotFoundException
import com.proxymesh.ValidationException

/** Prints what the account has. It only reads. */
suspend fun lookAround(client: Client, username: String, password: String) {
    println("\nThe proxies that this account may use, as URLs for any HTTP library:")
    for (proxy in client.proxies.list()) {
        println("  ${proxy.name.padEnd(10)} ${proxy.url(username, password)}")
    }

    println("\nIPs that may use them without a password:")
    val entries = client.ips.labels()
    if (entries.isEmpty()) println("  none yet")
    for (entry in entries) println("  ${entry.ip.padEnd(15)} ${entry.label.ifEmpty { "(no label)" }}")

    val countries = client.geo.world()
    val most = countries.entries.sortedByDescending { it.value }.take(3).joinToString { it.key }
    println("\nThe world proxy has exits in ${countries.size} countries. $most have the most.")
}

/** Adds an IP and a sub-account, and deletes them again. */
suspend fun manage(client: Client) {
    println("\nAuthorising 203.0.113.7, so that a machine there needs no password ...")
    val ip = client.ips.add("203.0.113.7", label = "the office")
    val labels = client.ips.labels().associate { it.ip to it.label }
    println("  done: $ip is '${labels[ip]}'")

    println("\nCreating the sub-account crawler-1, limited to 5 GB a month ...")
    val made = client.subAccounts.create("crawler-1", password = "correct horse battery", monthlyLimit = 5)
    println("  done: $made")

    val account = client.subAccounts.get("crawler-1")
    println("  it has used ${account.monthlyBandwidth} of ${account.monthlyBandwidthLimit} GB this month")
    println("  deactivated: active is now ${client.subAccounts.deactivate("crawler-1").isActive}")

    client.subAccounts.delete("crawler-1")
    client.ips.delete(ip)
    println("  deleted the sub-account and the IP again")
}

/** Shows two errors. Each has a message to read and fields to act on. */
suspend fun beRefused(client: Client) {
    println("\nBad input is refused before anything is sent:")
    try {
        client.ips.add("203.0.113.777")
    } catch (error: ValidationException) {
        println("  $error\n  (field: ${error.field})")
    }

    println("\nIf the service refuses a call, the error says why:")
    try {
        client.subAccounts.get("nobody")
    } catch (error: NotFoundException) {
        println("  $error\n  (status: ${error.status}, attempts: ${error.attempts})")
    }
}

/** Uses the sandbox if there is one, otherwise the real service. */
suspend fun main() {
    val sandbox = System.getenv("PROXYMESH_SANDBOX")
    if (sandbox == null) {
        println("Reading from the real service.")
        Client().use { lookAround(it, System.getenv("PROXYMESH_USERNAME").orEmpty(), "YOUR-PASSWORD") }
        return
    }
    Client("parent", "parent-password", baseUrl = sandbox).use { client ->
        println("This talks to a sandbox at ${client.baseUrl}.")
        lookAround(client, "parent", "parent-password")
        manage(client)
        beRefused(client)
    }
    println("\nThat was all. Set PROXYMESH_USERNAME and PROXYMESH_PASSWORD to see your own account.")
}
