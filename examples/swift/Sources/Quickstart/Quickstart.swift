// The main tasks, end to end: list the proxies, authorise an IP, manage a sub-account.
//
// With PROXYMESH_SANDBOX set to the URL of a sandbox, which emulates the service, it needs no account. `make demo-swift` does
// this. With PROXYMESH_USERNAME and PROXYMESH_PASSWORD set, it talks to the real service and only reads.

import Foundation
import ProxyMesh

@main
struct Quickstart {
    /// Uses the sandbox if there is one, otherwise the real service.
    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let sandbox = environment["PROXYMESH_SANDBOX"] else {
            print("Reading from the real service.")
            try await lookAround(Client(), username: environment["PROXYMESH_USERNAME"] ?? "", password: "YOUR-PASSWORD")
            return
        }
        let client = try Client(username: "parent", password: "parent-password", baseURL: URL(string: sandbox))
        print("This talks to a sandbox at \(sandbox).")
        try await lookAround(client, username: "parent", password: "parent-password")
        try await manage(client)
        try await beRefused(client)
        print("\nThat was all. Set PROXYMESH_USERNAME and PROXYMESH_PASSWORD to see your own account.")
    }

    /// Prints what the account has. It only reads.
    static func lookAround(_ client: Client, username: String, password: String) async throws {
        print("\nThe proxies that this account may use, as URLs for any HTTP library:")
        for proxy in try await client.proxies.list() {
            print("  \(padded(proxy.name, 10)) \(proxy.url(username: username, password: password))")
        }

        print("\nIPs that may use them without a password:")
        let entries = try await client.ips.labels()
        if entries.isEmpty { print("  none yet") }
        for entry in entries { print("  \(padded(entry.ip, 15)) \(entry.label.isEmpty ? "(no label)" : entry.label)") }

        let countries = try await client.geo.world()
        let most = countries.sorted { $0.value > $1.value }.prefix(3).map(\.key).joined(separator: ", ")
        print("\nThe world proxy has exits in \(countries.count) countries. \(most) have the most.")
    }

    /// Adds an IP and a sub-account, and deletes them again.
    static func manage(_ client: Client) async throws {
        print("\nAuthorising 203.0.113.7, so that a machine there needs no password ...")
        let ip = try await client.ips.add("203.0.113.7", label: "the office")
        let label = try await client.ips.labels().first { $0.ip == ip }?.label ?? ""
        print("  done: \(ip) is '\(label)'")

        print("\nCreating the sub-account crawler-1, limited to 5 GB a month ...")
        let made = try await client.subAccounts.create("crawler-1", password: "correct horse battery", monthlyLimit: 5)
        print("  done: \(made)")

        let account = try await client.subAccounts.get("crawler-1")
        print("  it has used \(account.monthlyBandwidth) of \(account.monthlyBandwidthLimit) GB this month")
        print("  deactivated: isActive is now \(try await client.subAccounts.deactivate("crawler-1").isActive)")

        try await client.subAccounts.delete("crawler-1")
        try await client.ips.delete(ip)
        print("  deleted the sub-account and the IP again")
    }

    /// Shows two errors. Each has a message to read and fields to act on.
    static func beRefused(_ client: Client) async throws {
        print("\nBad input is refused before anything is sent:")
        do {
            try await client.ips.add("203.0.113.777")
        } catch ProxyMeshError.validation(let error) {
            print("  \(error.text)\n  (field: \(error.field))")
        }

        print("\nIf the service refuses a call, the error says why:")
        do {
            _ = try await client.subAccounts.get("nobody")
        } catch ProxyMeshError.notFound(let refusal) {
            print("  \(refusal.text)\n  (status: \(refusal.status), attempts: \(refusal.attempts))")
        }
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
    }
}
