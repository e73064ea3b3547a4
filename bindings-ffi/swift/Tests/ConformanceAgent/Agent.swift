import Foundation
import ProxyMesh
import TestSupport

/// The agent of the conformance cases for Swift: `async|blocking`. `tests/conformance/README.md` describes the protocol.
@main
struct Agent {
    private let way: Way
    private var accounts: [String: any Account] = [:]
    private let objects = Objects()

    private init(_ way: Way) {
        self.way = way
    }

    static func main() async {
        guard let way = ["async": Way.async, "blocking": .blocking][CommandLine.arguments.last ?? ""] else {
            fatalError("usage: ConformanceAgent async|blocking")
        }
        var agent = Agent(way)
        while let line = readLine() {
            let answer: [String: JSON]
            do {
                answer = try await agent.answer(JSON.read(Data(line.utf8)))
            } catch {
                answer = ["unknown": .text("\(error)")]
            }
            print(JSON.object(answer).written)
            fflush(nil)
        }
    }

    private mutating func answer(_ question: JSON) async throws -> [String: JSON] {
        if let name = question["open"]?.text {
            do {
                accounts[name] = try open(question["settings"]?.object ?? [:])
            } catch let error as ProxyMeshError {
                return ["error": told(error)]
            }
        } else if question["reset"] != nil {
            objects.clear()
            accounts = [:]
        } else if question["call"] != nil {
            return ["results": .list(try await results(question))]
        } else {
            throw Unknown(question.written)
        }
        return [:]
    }

    private func open(_ settings: [String: JSON]) throws -> any Account {
        var options = Options(none: ())
        var baseURL: URL?
        for (name, value) in settings {
            switch name {
            case "base_url": baseURL = value.text.flatMap(URL.init(string:))
            case "username": options.username = value.text
            case "password": options.password = value.text
            case "token": options.token = value.text
            case "timeout": options.timeout = value.number.map { .seconds($0) }
            case "connect_timeout": options.connectTimeout = value.number.map { .seconds($0) }
            case "max_retries": options.maxRetries = value.whole.map { Int($0) }
            case "max_connections": options.maxConnections = value.whole.map { Int($0) }
            case "ca_file": options.caFile = value.text.map { URL(fileURLWithPath: $0) }
            case "share_state": options.shareState = value == .bool(true)
            case "trust_env": options.trustEnv = value == .bool(true)
            default: throw Unknown("a setting \(name)")
            }
        }
        guard let baseURL else { throw Unknown("\(settings), which has no URL") }
        return try way.open(baseURL, options)
    }

    /// Makes the call, as many times at once as requested.
    private func results(_ question: JSON) async throws -> [JSON] {
        guard var account = accounts[question["client"]?.text ?? ""] else { throw Unknown("the client in \(question.written)") }
        if Objects.has(question["call"]?.text ?? "") {
            let objects = objects
            switch (way, account) {
            case (.async, let account as Awaited):
                return [try await attempt { try await objects.call(account.client, Arguments(question)) }]
            case (.blocking, let account as Blocked):
                return [
                    try await onThread { try attempt { try objects.call(account.client, Arguments(question)) } }
                ]
            default: throw Unknown("an account of this kind")
            }
        }
        let times = Int(question["at_once"]?.whole ?? 1)
        if let options = question["options"]?.object {
            guard Set(options.keys).isSubset(of: ["timeout", "max_retries"]) else { throw Unknown("an option in \(options)") }
            do {
                account = try account.with(
                    timeout: options["timeout"]?.number.map { .seconds($0) },
                    maxRetries: options["max_retries"]?.whole.map { Int($0) })
            } catch let error as ProxyMeshError {
                return [.object(["error": told(error)])]
            }
        }
        switch (way, account) {
        case (.async, let account as Awaited):
            return try await withThrowingTaskGroup(of: JSON.self) { group in
                for _ in 0..<times {
                    group.addTask { try await attempt { try await account.call(Arguments(question)) } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        case (.blocking, let account as Blocked):
            return try await withThrowingTaskGroup(of: JSON.self) { group in
                for _ in 0..<times {
                    group.addTask {
                        try await onThread { try attempt { try account.call(Arguments(question)) } }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        default: throw Unknown("an account of this kind")
        }
    }
}

/// Runs a blocking call on a thread of its own.
private func onThread(_ call: @escaping @Sendable () throws -> JSON) async throws -> JSON {
    try await withCheckedThrowingContinuation { done in
        Thread.detachNewThread { done.resume(with: Result { try call() }) }
    }
}

private func attempt(_ call: () async throws -> JSON) async throws -> JSON {
    do {
        return .object(["value": try await call()])
    } catch let error as ProxyMeshError {
        return .object(["error": told(error)])
    }
}

private func attempt(_ call: () throws -> JSON) throws -> JSON {
    do {
        return .object(["value": try call()])
    } catch let error as ProxyMeshError {
        return .object(["error": told(error)])
    }
}

/// Everything that the error contains, as JSON.
private func told(_ error: ProxyMeshError) -> JSON {
    .object(error.fields.merging(["kind": .text(error.kind.rawValue), "text": .text("\(error)")]) { $1 })
}
