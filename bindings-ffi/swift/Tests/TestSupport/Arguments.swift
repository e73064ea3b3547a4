import Foundation

/// What a table holds, and these tests do not know.
package struct Unknown: Error {
    let what: String

    package init(_ what: String) {
        self.what = what
    }
}

/// The arguments of a row's call. Those that nobody asked for are ones that the call does not know.
package final class Arguments {
    let call: String
    private let given: [String: JSON]
    private var asked: Set<String> = []

    package init(_ row: JSON) throws {
        guard let call = row["call"]?.text else { throw Unknown("\(row.written), which names no call") }
        self.call = call
        given = row["args"]?.object ?? [:]
    }

    func maybe(_ name: String) throws -> String? {
        asked.insert(name)
        return try given[name]?.writtenOut
    }

    func text(_ name: String) throws -> String {
        guard let text = try maybe(name) else { throw Unknown("\(call) without \(name)") }
        return text
    }

    func maybeWhole(_ name: String) throws -> Int? {
        asked.insert(name)
        guard let value = given[name] else { return nil }
        guard let whole = value.whole else { throw Unknown("\(call) with \(name): \(value.written)") }
        return Int(whole)
    }

    func whole(_ name: String) throws -> Int64 {
        guard let whole = try maybeWhole(name) else { throw Unknown("\(call) without \(name)") }
        return Int64(whole)
    }

    /// A date; what is none as one without any part, since no `DateComponents` can be that text.
    func maybeDate(_ name: String) throws -> DateComponents? {
        guard let text = try maybe(name) else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3 else { return DateComponents() }
        let date = DateComponents(year: parts[0], month: parts[1], day: parts[2])
        return date.written == text ? date : DateComponents()
    }

    func checkAllAsked() throws {
        let unknown = Set(given.keys).subtracting(asked)
        guard unknown.isEmpty else { throw Unknown("\(call) with \(unknown)") }
    }
}

extension DateComponents {
    /// `YYYY-MM-DD`.
    var written: String {
        String(format: "%04d-%02d-%02d", year ?? 0, month ?? 0, day ?? 0)
    }
}

extension JSON {
    /// `{"repeat": ["x", 3]}` is `"xxx"`; `{"join": […]}` is its parts one after another; a text is itself.
    package var writtenOut: String {
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
