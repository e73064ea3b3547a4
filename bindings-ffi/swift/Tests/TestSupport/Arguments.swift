import Foundation

/// Something that the agent does not know.
package struct Unknown: Error {
    let what: String

    package init(_ what: String) {
        self.what = what
    }
}

/// The arguments of a call. An argument that was never read is one that the call does not have.
package final class Arguments {
    package let call: String
    /// The name of the object that the call creates or uses.
    package let object: String
    private let given: [String: JSON]
    private var asked: Set<String> = []

    package init(_ question: JSON) throws {
        guard let call = question["call"]?.text else { throw Unknown("\(question.written), which names no call") }
        self.call = call
        object = question["object"]?.text ?? "main"
        given = question["args"]?.object ?? [:]
    }

    package func maybeText(_ name: String) throws -> String? {
        asked.insert(name)
        guard let value = given[name] else { return nil }
        guard let text = value.text else { throw Unknown("\(call) with \(name): \(value.written)") }
        return text
    }

    package func text(_ name: String) throws -> String {
        guard let text = try maybeText(name) else { throw Unknown("\(call) without \(name)") }
        return text
    }

    package func maybeWhole(_ name: String) throws -> Int? {
        asked.insert(name)
        guard let value = given[name] else { return nil }
        guard let whole = value.whole else { throw Unknown("\(call) with \(name): \(value.written)") }
        return Int(whole)
    }

    package func whole(_ name: String) throws -> Int64 {
        guard let whole = try maybeWhole(name) else { throw Unknown("\(call) without \(name)") }
        return Int64(whole)
    }

    package func maybeTexts(_ name: String) -> [String]? {
        asked.insert(name)
        return given[name]?.list?.compactMap(\.text)
    }

    package func maybeBool(_ name: String) -> Bool? {
        asked.insert(name)
        return given[name].map { $0 == .bool(true) }
    }

    package func maybeSeconds(_ name: String) -> Duration? {
        asked.insert(name)
        return given[name]?.number.map { .seconds($0) }
    }

    /// A date. Text that is not a date becomes one without any parts, because `DateComponents` cannot represent it.
    func maybeDate(_ name: String) throws -> DateComponents? {
        guard let text = try maybeText(name) else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3 else { return DateComponents() }
        let date = DateComponents(year: parts[0], month: parts[1], day: parts[2])
        return date.written == text ? date : DateComponents()
    }

    package func checkAllAsked() throws {
        let unknown = Set(given.keys).subtracting(asked)
        guard unknown.isEmpty else { throw Unknown("\(call) with \(unknown)") }
    }
}

extension DateComponents {
    /// The date as `YYYY-MM-DD`.
    var written: String {
        String(format: "%04d-%02d-%02d", year ?? 0, month ?? 0, day ?? 0)
    }
}
