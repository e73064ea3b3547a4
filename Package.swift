// swift-tools-version:6.0
import PackageDescription

// The Swift package of the ProxyMesh SDK. Its sources are in bindings-ffi/swift. This file is here because SwiftPM finds a
// package only at the root of a repository.
//
// ProxyMesh is the API, and ProxyMeshTesting has the sandbox. ProxyMeshInternal calls the native library through the C module
// ProxyMeshFFI. It and ProxyMesh contain generated code (`make bindings`).
// The native library is static, so a program does not need it at run time. For a release, `packaging/release.py manifest` replaces each
// `path:` below by a `url:` and a `checksum:`.
#if canImport(Darwin)
    // Built by bindings-ffi/swift/xcframework.sh.
    let native = Target.binaryTarget(name: "ProxyMeshFFI", path: "target/xcframework/ProxyMeshFFI.xcframework")
    let libraries: [LinkerSetting] = []
#elseif compiler(>=6.2)
    // Built by `make swift`.
    let native = Target.binaryTarget(name: "ProxyMeshFFI", path: "target/swift-library/ProxyMeshFFI.artifactbundle")
    let libraries: [LinkerSetting] = ["dl", "m", "pthread", "rt"].map { .linkedLibrary($0) }  // before glibc 2.34
#else
    // This Swift cannot link the library in an artifact bundle. Its linker looks for libproxymesh_ffi.a in its usual folders, such
    // as /usr/local/lib, or in a folder given by `LIBRARY_PATH=FOLDER swift build`. `make swift` builds it.
    let native = Target.systemLibrary(name: "ProxyMeshFFI", path: "bindings-ffi/swift/Sources/ProxyMeshFFI")
    let libraries: [LinkerSetting] = [.linkedLibrary("proxymesh_ffi")]
#endif

let package = Package(
    name: "proxymesh-sdk",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],  // the first versions with Duration
    products: [
        .library(name: "ProxyMesh", targets: ["ProxyMesh"]),
        // The sandbox, for the tests of your own code.
        .library(name: "ProxyMeshTesting", targets: ["ProxyMeshTesting"]),
    ],
    targets: [
        native,
        .target(
            name: "ProxyMeshInternal", dependencies: ["ProxyMeshFFI"], path: "bindings-ffi/swift/Sources/ProxyMeshInternal",
            linkerSettings: libraries),
        .target(name: "ProxyMesh", dependencies: ["ProxyMeshInternal"], path: "bindings-ffi/swift/Sources/ProxyMesh"),
        .target(
            name: "ProxyMeshTesting", dependencies: ["ProxyMesh"], path: "bindings-ffi/swift/Sources/ProxyMeshTesting"),
        .testTarget(
            name: "ProxyMeshTests", dependencies: ["ProxyMesh", "ProxyMeshInternal", "ProxyMeshTesting", "TestSupport"],
            path: "bindings-ffi/swift/Tests/ProxyMeshTests"),
        // The targets below are in no product, so users do not build them.
        // Helpers for the tests and for the programs below.
        .target(name: "TestSupport", dependencies: ["ProxyMesh"], path: "bindings-ffi/swift/Tests/TestSupport"),
        // The agent for tests/conformance.
        .executableTarget(
            name: "ConformanceAgent", dependencies: ["ProxyMesh", "TestSupport"],
            path: "bindings-ffi/swift/Tests/ConformanceAgent"),
        // The tests run this program without descriptors, threads or memory.
        .executableTarget(
            name: "Limited", dependencies: ["ProxyMesh", "TestSupport"], path: "bindings-ffi/swift/Tests/Limited"),
        // The tests run this program as another process of the same user.
        .executableTarget(
            name: "OtherProcess", dependencies: ["ProxyMesh", "TestSupport"], path: "bindings-ffi/swift/Tests/OtherProcess"),
    ],
    swiftLanguageModes: [.v6]
)
