// Contestants of languages.py, which describes the protocol: both clients of the SDK, and Foundation's URLSession.

import Foundation
import ProxyMesh

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The service's response, for URLSession.
struct Account: Decodable {
    let username: String
    let active: Bool
    let monthlyBandwidth: Double
    let totalBandwidth: Double
    let monthlyBandwidthLimit: Double
    let totalBandwidthLimit: Double
    let firstName: String?
    let lastName: String?
    let email: String?

    enum CodingKeys: String, CodingKey {
        case username, active, email
        case monthlyBandwidth = "monthly_bandwidth"
        case totalBandwidth = "total_bandwidth"
        case monthlyBandwidthLimit = "monthly_bandwidth_limit"
        case totalBandwidthLimit = "total_bandwidth_limit"
        case firstName = "first_name"
        case lastName = "last_name"
    }
}

/// Receives what was read, so that the compiler does not remove the reading.
@inline(never)
func keep(_ username: String, _ active: Bool, _ monthly: Double) {}

struct Failure: Error {}

let clock = ContinuousClock()

/// The median of the times, in microseconds.
func median(_ each: [Duration]) -> Double {
    let (seconds, attoseconds) = each.sorted()[each.count / 2].components
    return Double(seconds) * 1e6 + Double(attoseconds) * 1e-12
}

func blocking(_ client: BlockingClient, _ calls: Int) throws -> Double {
    let each = try (0..<calls).map { _ in
        try clock.measure {
            let account = try client.subAccounts.get("x")
            keep(account.username, account.active, account.monthlyBandwidth)
        }
    }
    return median(each)
}

func async(_ client: Client, _ calls: Int) async throws -> Double {
    var each: [Duration] = []
    for _ in 0..<calls {
        let start = clock.now
        let account = try await client.subAccounts.get("x")
        keep(account.username, account.active, account.monthlyBandwidth)
        each.append(clock.now - start)
    }
    return median(each)
}

func urlSession(_ session: URLSession, _ baseURL: String, _ calls: Int) async throws -> Double {
    let basic = "Basic " + Data("user:pass".utf8).base64EncodedString()
    let decoder = JSONDecoder()
    var each: [Duration] = []
    for _ in 0..<calls {
        let start = clock.now
        var request = URLRequest(url: URL(string: "\(baseURL)/api/sub/get/?username=x")!, timeoutInterval: 30)
        request.setValue(basic, forHTTPHeaderField: "Authorization")
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        let (body, response) = try await session.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw Failure() }
        let account = try decoder.decode(Account.self, from: body)
        keep(account.username, account.active, account.monthlyBandwidth)
        each.append(clock.now - start)
    }
    return median(each)
}

@main
struct Bench {
    static func main() async throws {
        let mode = CommandLine.arguments[1]
        let session = URLSession(configuration: .ephemeral)
        var blockingClients: [String: BlockingClient] = [:]
        var clients: [String: Client] = [:]
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, words[0] == "sequential", words[2] == "1", let calls = Int(words[3]) else { throw Failure() }
            let baseURL = words[1]
            let p50: Double
            switch mode {
            case "blocking":
                let client =
                    try blockingClients[baseURL]
                    ?? BlockingClient(username: "user", password: "pass", baseURL: URL(string: baseURL))
                blockingClients[baseURL] = client
                p50 = try blocking(client, calls)
            case "async":
                let client = try clients[baseURL] ?? Client(username: "user", password: "pass", baseURL: URL(string: baseURL))
                clients[baseURL] = client
                p50 = try await async(client, calls)
            case "URLSession":
                p50 = try await urlSession(session, baseURL, calls)
            default:
                throw Failure()
            }
            print("{\"p50_us\": \(p50)}")
            fflush(nil)
        }
    }
}
