// swift-tools-version:6.0
import PackageDescription

// The Swift package of the ProxyMesh SDK. Its sources are in bindings-ffi/swift. This file is here because SwiftPM finds a
// package only at the root of a repository.
//
// ProxyMesh is the API, and ProxyMeshTesting has the sandbox. ProxyMeshInternal calls the native library through the C module
// ProxyMeshFFI. It and ProxyMesh contain generated code (`make bindings`).
#if canImport(Darwin)
    // The native library for Apple's platforms, built by bindings-ffi/swift/xcframework.sh. For a release, the script
    // prints the `url:` and the `checksum:` that replace the `path:`.
    let native = Target.binaryTarget(name: "ProxyMeshFFI", path: "target/xcframework/ProxyMeshFFI.xcframework")
#else
    // `make swift` builds libproxymesh_ffi.a. The linker looks for it in its usual folders, such as /usr/local/lib, or in a
    // folder given by `LIBRARY_PATH=FOLDER swift build`. The program then needs no library at run time.
    let native = Target.systemLibrary(name: "ProxyMeshFFI", path: "bindings-ffi/swift/Sources/ProxyMeshFFI")
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
            linkerSettings: [.linkedLibrary("proxymesh_ffi", .when(platforms: [.linux]))]),
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
