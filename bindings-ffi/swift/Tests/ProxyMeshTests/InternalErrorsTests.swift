import TestSupport
import Testing

@testable import ProxyMesh
@testable import ProxyMeshInternal

extension ProxyMeshTests {
    /// Errors that no caller can prevent: bugs of the library and of the code that calls it.
    @Suite struct InternalErrorsTests {
        private let start = "internal error in the ProxyMesh library, please report it: "

        /// Makes a call with both clients, which must fail.
        private func expect<Response: Sendable>(_ call: Call<Response>, _ text: String) async throws {
            let client = try ProxyMesh.Client(username: username, password: password)
            let blocking = try ProxyMesh.BlockingClient(username: username, password: password)
            for error in [await failure { try await client.call(call) }, failureNow { try blocking.call(call) }] {
                #expect(error?.kind == .internalError)
                #expect(error?.description == start + text)
                #expect(error?.localizedDescription == start + text)
            }
        }

        /// The library also reports a panic in this way. Its own tests cause one.
        @Test func anInternalErrorOfTheLibraryIsAnInternalError() async throws {
            try await expect(Call(1, response: { _ in }), "the library has no such call")
            let unreadable = Call<Void>(ipsList(username: nil).number, arguments: { $0.bool(true) }, response: { _ in })
            let error = await failure {
                try await ProxyMesh.Client(username: username, password: password).call(unreadable)
            }
            #expect(error?.kind == .internalError)
            #expect(error?.description.hasPrefix(start + "unreadable argument: ") == true)
        }

        @Test func anAnswerThatCannotBeReadIsAnInternalError() async throws {
            let server = try Server(.answer(200, #"{"ips": ["203.0.113.7"]}"#))
            defer { server.close() }
            let call = ipsList(username: nil)
            let client = try ProxyMesh.Client(username: username, password: password, baseURL: server.baseURL)
            let blocking = try ProxyMesh.BlockingClient(username: username, password: password, baseURL: server.baseURL)
            let short = Call<Int32>(call.number, arguments: { $0.bool(false) }, response: { try $0.int32() })
            let long = Call<Refusal>(call.number, arguments: { $0.bool(false) }, response: { try $0.refusal() })
            for (error, text) in [
                (await failure { try await client.call(short) }, "15 bytes are left"),
                (failureNow { try blocking.call(short) }, "15 bytes are left"),
                (await failure { try await client.call(long) }, "a length of 808660528"),
                (failureNow { try blocking.call(long) }, "a length of 808660528"),
            ] {
                #expect(error?.kind == .internalError)
                #expect(error?.description == start + "unreadable answer: " + text)
            }
            #expect(try await client.ips.list() == ["203.0.113.7"], "the client still works")
        }

        private func read<Value>(_ bytes: [UInt8], _ read: (inout Reader) throws -> Value) throws -> Value {
            try bytes.withUnsafeBytes { bytes in
                var reader = Reader(bytes)
                return try read(&reader)
            }
        }

        @Test func aReaderReadsNothingBeyondTheEnd() throws {
            let text = try read([0, 0, 0, 2, 0x68, 0x69]) { try $0.string() }
            #expect(text == "hi")
            #expect(throws: Unreadable.self) { try read([]) { try $0.bool() } }
            #expect(throws: Unreadable.self) { try read([0, 0, 0]) { try $0.int32() } }
            #expect(throws: Unreadable.self) { try read([0, 0, 0, 3, 0x68, 0x69]) { try $0.string() } }
            #expect(throws: Unreadable.self) { try read([0xff, 0xff, 0xff, 0xff]) { try $0.string() } }
            #expect(throws: Unreadable.self) { try read([0x7f, 0xff, 0xff, 0xff]) { try $0.list { try $0.bool() } } }
            #expect(throws: Unreadable.self) { try read([0, 0, 0, 20]) { try $0.failure() } }
        }

        /// The format is that of UniFFI: numbers in network byte order, and texts as UTF-8 with their length.
        @Test func whatAWriterWritesAReaderReads() throws {
            var writer = Writer()
            writer.bool(true)
            writer.int32(-2)
            writer.int64(.max)
            writer.double(-0.5)
            writer.string("ä 🦀")
            writer.optional(Int32?.none) { $0.int32($1) }
            writer.list(["", "x"]) { $0.string($1) }
            #expect(Array(writer.bytes[1..<5]) == [0xff, 0xff, 0xff, 0xfe])
            try read(writer.bytes) { reader in
                let numbers = try (reader.bool(), reader.int32(), reader.int64(), reader.double())
                #expect(numbers == (true, -2, .max, -0.5))
                let text = try reader.string()
                #expect(text == "ä 🦀")
                let none = try reader.optional { try $0.int32() }
                #expect(none == nil)
                let list = try reader.list { try $0.string() }
                #expect(list == ["", "x"])
            }
        }

        /// The nanoseconds of a time before 1970 count backwards.
        @Test func timesBefore1970AreRead() throws {
            for (seconds, nanoseconds, expected) in [(-2, 500_000_000, -2.5), (0, 250_000_000, 0.25), (3, 0, 3)] {
                var writer = Writer()
                writer.int64(Int64(seconds))
                writer.int32(Int32(nanoseconds))
                let date = try read(writer.bytes) { try $0.date() }
                #expect(date.timeIntervalSince1970 == expected)
            }
        }

        @Test func aLibraryOfAnotherVersionIsRefused() throws {
            #expect(Native.mismatch(of: version) == nil, "the linked library has this version")
            let error = ProxyMeshError(try #require(Native.mismatch(of: "0.0.9")))
            #expect(error.kind == .config)
            #expect(
                error.reason
                    == "the native library has the version 0.0.9, not \(version): link the one of the same version")
        }
    }
}
