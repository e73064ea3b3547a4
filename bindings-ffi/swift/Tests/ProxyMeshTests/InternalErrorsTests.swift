import ProxyMeshInternal
import TestSupport
import Testing

@testable import ProxyMesh

extension ProxyMeshTests {
    /// Errors that no caller can prevent: a panic, which the native library reports, and an error of UniFFI's own code.
    @Suite struct InternalErrorsTests {
        private func expect(_ error: ProxyMeshError?, _ text: String) {
            #expect(error?.kind == .internalError)
            #expect(error?.description == text)
            #expect(error?.localizedDescription == text)
        }

        @Test func aPanicOfTheLibraryIsAnInternalError() async throws {
            let text = "internal error in the ProxyMesh library, please report it: it panicked: in a test"
            let client = try ProxyMesh.Client(username: username, password: password)
            expect(await failure { try await client.call { _ in throw Failure.Internal(text: text) } }, text)
            let blocking = try ProxyMesh.BlockingClient(username: username, password: password)
            expect(failureNow { try blocking.call { _ in throw Failure.Internal(text: text) } }, text)
        }

        @Test func anErrorOfUniFFIIsAnInternalError() async throws {
            // UniFFI's error type is private. UniFFI throws it when it reads options as a failure.
            @Sendable func misread() throws {
                let options = ProxyMeshInternal.Options(timeout: 1, maxRetries: nil)
                _ = try FfiConverterTypeFailure_lift(FfiConverterTypeOptions_lower(options))
            }
            let text = "internal error in the ProxyMesh library, please report it: unexpectedEnumCase"
            let client = try ProxyMesh.Client(username: username, password: password)
            expect(await failure { try await client.call { _ in try misread() } }, text)
            let blocking = try ProxyMesh.BlockingClient(username: username, password: password)
            expect(failureNow { try blocking.call { _ in try misread() } }, text)
        }
    }
}
