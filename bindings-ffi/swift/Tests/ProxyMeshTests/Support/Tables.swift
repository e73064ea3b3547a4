import Foundation
import Testing

/// The root of the repository.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../../..").standardizedFileURL

/// The rows of a table in `tests/tables`; see `tests/README.md`.
func rows(_ table: String) throws -> [JSON] {
    let file = repository.appendingPathComponent("tests/tables/\(table).json")
    return try #require(try JSON.read(Data(contentsOf: file)).list)
}

extension JSON {
    /// A row as it may stand in a message: not 100,000 characters of it.
    var short: Comment { Comment(rawValue: String(written.prefix(300))) }

    /// `{"repeat": ["x", 3]}` is `"xxx"`; `{"join": […]}` is its parts one after another; a text is itself.
    var writtenOut: String {
        get throws {
            switch self {
            case .text(let text):
                return text
            case .object(let form) where form.count == 1:
                if let parts = form["repeat"]?.list, parts.count == 2, let text = parts[0].text, let count = parts[1].whole {
                    return String(repeating: text, count: Int(count))
                }
                if let parts = form["join"]?.list {
                    return try parts.map { try $0.writtenOut }.joined()
                }
            default: break
            }
            throw Unknown("a value form \(written)")
        }
    }
}

/// What a table holds, and these tests do not know.
struct Unknown: Error {
    let what: String

    init(_ what: String) {
        self.what = what
    }
}

/// The arguments of a row's call. Those that nobody asked for are ones that the call does not know.
final class Arguments {
    let call: String
    private let given: [String: JSON]
    private var asked: Set<String> = []

    init(_ row: JSON) throws {
        call = try #require(row["call"]?.text)
        given = row["args"]?.object ?? [:]
    }

    func maybe(_ name: String) throws -> String? {
        asked.insert(name)
        return try given[name]?.writtenOut
    }

    func text(_ name: String) throws -> String {
        try #require(try maybe(name), "\(call) needs \(name)")
    }

    func maybeWhole(_ name: String) throws -> Int? {
        asked.insert(name)
        guard let value = given[name] else { return nil }
        return Int(try #require(value.whole, "\(call): \(name)"))
    }

    func whole(_ name: String) throws -> Int64 {
        Int64(try #require(try maybeWhole(name), "\(call) needs \(name)"))
    }

    func checkAllAsked() throws {
        let unknown = Set(given.keys).subtracting(asked)
        guard unknown.isEmpty else { throw Unknown("\(call) with \(unknown)") }
    }
}
