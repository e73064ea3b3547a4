import Foundation
import ProxyMeshFFI

/// A call of the library: its number, its arguments, and how to read its response. `Interface.swift` has a function for each.
package struct Call<Response>: Sendable {
    let number: Int32
    let arguments: [UInt8]
    private let response: @Sendable (inout Reader) throws -> Response

    init(_ number: Int32, response: @escaping @Sendable (inout Reader) throws -> Response) {
        self.number = number
        arguments = []
        self.response = response
    }

    init(
        _ number: Int32, arguments write: (inout Writer) -> Void,
        response: @escaping @Sendable (inout Reader) throws -> Response
    ) {
        var writer = Writer()
        write(&writer)
        self.number = number
        arguments = writer.bytes
        self.response = response
    }

    /// Reads the response from an answer, and frees the answer.
    ///
    /// - Throws: ``Failure`` if the call failed, or ``Unreadable``.
    func response(from answer: Answer) throws -> Response {
        defer { proxymesh_free(answer.parts) }
        var reader = Reader(UnsafeRawBufferPointer(start: answer.parts.bytes, count: answer.parts.length))
        if try reader.bool() { throw try reader.failure() }
        let response = try response(&reader)
        try reader.end()
        return response
    }
}

/// An answer of the library. It is read where it is, and then freed.
struct Answer: @unchecked Sendable {
    let parts: proxymesh_answer
}

/// The answer is not what the call promises. That is a bug.
struct Unreadable: Error, CustomStringConvertible {
    let what: String

    var description: String { "unreadable answer: \(what)" }
}

/// Writes values in UniFFI's format.
struct Writer {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(64)
    }

    mutating func bool(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    mutating func int32(_ value: Int32) {
        integer(value)
    }

    mutating func int64(_ value: Int64) {
        integer(value)
    }

    mutating func double(_ value: Double) {
        integer(value.bitPattern)
    }

    mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { text in
            int32(Int32(text.count))
            bytes.append(contentsOf: text)
        }
    }

    mutating func optional<Value>(_ value: Value?, _ write: (inout Writer, Value) -> Void) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    mutating func list<Value>(_ values: [Value], _ write: (inout Writer, Value) -> Void) {
        int32(Int32(values.count))
        for value in values { write(&self, value) }
    }

    private mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

/// Reads values in UniFFI's format from memory that it does not own.
struct Reader {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    mutating func bool() throws -> Bool {
        try integer(UInt8.self) != 0
    }

    mutating func int32() throws -> Int32 {
        try integer()
    }

    mutating func int64() throws -> Int64 {
        try integer()
    }

    mutating func double() throws -> Double {
        Double(bitPattern: try integer())
    }

    mutating func string() throws -> String {
        String(decoding: try take(length()), as: UTF8.self)
    }

    /// A time before 1970 has negative seconds, and its nanoseconds also count backwards. Within a second before 1970, the format
    /// has no sign.
    mutating func date() throws -> Date {
        let seconds = try int64()
        let nanoseconds = Double(try integer(UInt32.self)) / 1e9
        return Date(timeIntervalSince1970: Double(seconds) + (seconds < 0 ? -nanoseconds : nanoseconds))
    }

    mutating func optional<Value>(_ read: (inout Reader) throws -> Value) throws -> Value? {
        try bool() ? read(&self) : nil
    }

    mutating func list<Value>(_ read: (inout Reader) throws -> Value) throws -> [Value] {
        let count = try length()
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    mutating func map<Key: Hashable, Value>(
        key: (inout Reader) throws -> Key, value: (inout Reader) throws -> Value
    ) throws -> [Key: Value] {
        let count = try length()
        var values: [Key: Value] = [:]
        values.reserveCapacity(count)
        for _ in 0..<count { values[try key(&self)] = try value(&self) }
        return values
    }

    /// Checks that everything has been read.
    func end() throws {
        guard rest.isEmpty else { throw Unreadable(what: "\(rest.count) bytes are left") }
    }

    /// How many bytes or values follow. Each takes at least one byte.
    private mutating func length() throws -> Int {
        let length = Int(try int32())
        guard (0...rest.count).contains(length) else { throw Unreadable(what: "a length of \(length)") }
        return length
    }

    private mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws -> Value {
        Value(bigEndian: try take(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }

    private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count <= rest.count else { throw Unreadable(what: "it ends too early") }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }
}
