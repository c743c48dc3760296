// swift-tools-version: 6.2
import Foundation
import PackageDescription

// libtorch's headers and shared libraries: `script/bootstrap` puts them into .libtorch/.
let libtorch = Context.environment["LIBTORCH"] ?? Context.packageDirectory + "/.libtorch"
let linkTorch: [LinkerSetting] = [
  .unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]),
  .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
]
let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "Reverie",
  products: [
    // A library each for who needs less than all.
    .library(name: "ReverieTorch", targets: ["Torch", "Weights"]),
    .library(
      name: "ReverieModels", targets: ["Torch", "Weights", "Imaging", "Tokenizers", "Models"]),
    .library(
      name: "Reverie",
      targets: [
        "Torch", "Diffusion", "Weights", "Imaging", "Tokenizers", "Models", "Library", "Painting",
      ]),
    .library(name: "ReverieTraining", targets: ["Training"]),
    .library(name: "ReverieStudio", targets: ["Studio"]),
    .executable(name: "reverie", targets: ["reverie"]),
    .executable(name: "reverie-studio", targets: ["reverie-studio"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(
      name: "CTorch",
      cxxSettings: [
        .unsafeFlags([
          "-isystem", "\(libtorch)/include",
          "-isystem", "\(libtorch)/include/torch/csrc/api/include",
        ])
      ],
      linkerSettings: linkTorch),
    .target(name: "Torch", dependencies: ["CTorch"], swiftSettings: swift),
    .target(name: "Diffusion", dependencies: ["Torch"], swiftSettings: swift),

    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(
      name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
    .systemLibrary(name: "CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),
    .systemLibrary(
      name: "CFreeType", pkgConfig: "freetype2", providers: [.apt(["libfreetype-dev"])]),
    .systemLibrary(
      name: "CHarfBuzz", pkgConfig: "harfbuzz", providers: [.apt(["libharfbuzz-dev"])]),
    .systemLibrary(name: "CNATS", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),

    .target(name: "Weights", dependencies: ["Torch", "CZlib", "CCrypto"], swiftSettings: swift),
    .target(
      name: "CImage", dependencies: ["CPNG", "CJPEG", "CWebP"],
      linkerSettings: [.linkedLibrary("z")]),
    .target(
      name: "Imaging", dependencies: ["Torch", "CImage", "CFreeType", "CHarfBuzz"],
      swiftSettings: swift),
    .target(name: "Tokenizers", dependencies: ["Torch", "Weights"], swiftSettings: swift),
    .target(
      name: "Models", dependencies: ["Torch", "Weights", "Imaging", "Yams"], swiftSettings: swift),
    .target(
      name: "Library",
      dependencies: ["CCurl", "Models", "Tokenizers", "Torch", "Weights"],
      resources: [.process("Registry/models.json")], swiftSettings: swift),
    .target(
      name: "EmbeddedPack", exclude: ["README.md"], resources: [.copy("Pack"), .copy("Judge")],
      swiftSettings: swift),
    .target(
      name: "Painting",
      dependencies: [
        "Torch", "Diffusion", "Weights", "Imaging", "Tokenizers", "Models", "Library",
        "EmbeddedPack", "Yams",
      ],
      resources: [.copy("Presets/Shipped"), .process("Requests/emoji.tsv")], swiftSettings: swift),
    // libtorch's c10d, for trainings over several processes.
    .target(
      name: "CProcessGroup", exclude: ["gloo/README.md"],
      cxxSettings: [
        .headerSearchPath("."),
        .unsafeFlags([
          "-isystem", "\(libtorch)/include",
          "-isystem", "\(libtorch)/include/torch/csrc/api/include",
        ]),
      ],
      linkerSettings: linkTorch),
    .target(
      name: "Training",
      dependencies: [
        "CProcessGroup", "Torch", "Diffusion", "Weights", "Imaging", "Tokenizers", "Models",
        "Library", "Painting", "Yams",
      ],
      swiftSettings: swift),
    .target(
      name: "Studio",
      dependencies: [
        "CCurl", "CNATS", "EmbeddedPack", "Imaging", "Library", "Painting", "Torch", "Weights",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      resources: [.copy("Page/Assets"), .copy("../../Docs/guide")], swiftSettings: swift),
    // What the programs' commands share.
    .target(
      name: "Commands",
      dependencies: [
        "Imaging", "Painting", "Torch",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),
    .executableTarget(
      name: "reverie",
      dependencies: [
        "Commands", "EmbeddedPack", "Imaging", "Library", "Models", "Painting", "Torch", "Training",
        "Weights", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),
    // The launcher builds it when it is first asked for: painting does not wait for its servers.
    .executableTarget(
      name: "reverie-studio",
      dependencies: [
        "Commands", "Painting", "Studio", "Torch",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: swift),
    // Reverie's side of `Benchmarks/run`.
    .executableTarget(
      name: "reverie-bench",
      dependencies: ["Imaging", "Library", "Models", "Painting", "Torch", "Weights"],
      path: "Benchmarks/reverie-bench", swiftSettings: swift),

    // Draws the figures of Docs/guide.
    .executableTarget(
      name: "reverie-guide",
      dependencies: [
        "Diffusion", "EmbeddedPack", "Imaging", "Models", "Painting", "Tokenizers", "Torch",
        "Training", "Weights", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),

    // What tests of several modules make use of.
    .target(
      name: "TestSupport",
      dependencies: ["Library", "Models", "Painting", "Tokenizers", "Torch", "Weights"],
      path: "Tests/Support", swiftSettings: swift),
    .testTarget(
      name: "TorchTests", dependencies: ["Torch", "Weights", "TestSupport"], exclude: ["Oracle"],
      resources: [.copy("Fixtures")], swiftSettings: swift),
    .testTarget(
      name: "DiffusionTests", dependencies: ["Diffusion", "TestSupport", "Torch", "Weights"],
      exclude: ["Oracle"], resources: [.copy("Fixtures")], swiftSettings: swift),
    .testTarget(
      name: "WeightsTests", dependencies: ["Weights", "TestSupport"], exclude: ["Oracle"],
      resources: [.copy("Fixtures")],
      swiftSettings: swift),
    .testTarget(
      name: "ImagingTests", dependencies: ["Imaging", "Torch", "TestSupport"], exclude: ["Oracle"],
      resources: [.copy("Fixtures")],
      swiftSettings: swift),
    .testTarget(
      name: "TokenizersTests", dependencies: ["Tokenizers", "TestSupport"], exclude: ["Oracle"],
      resources: [.copy("Fixtures")],
      swiftSettings: swift),
    .testTarget(
      name: "ModelsTests", dependencies: ["Models", "TestSupport"], exclude: ["Oracle"],
      resources: [.copy("Fixtures")],
      swiftSettings: swift),
    .testTarget(
      name: "LibraryTests", dependencies: ["Library", "TestSupport"], swiftSettings: swift),
    .testTarget(
      name: "PaintingTests",
      dependencies: ["Diffusion", "Painting", "TestSupport"],
      exclude: ["Oracle"], resources: [.copy("Fixtures")], swiftSettings: swift),
    .testTarget(
      name: "TrainingTests", dependencies: ["Training", "TestSupport"], swiftSettings: swift),
    .testTarget(
      name: "StudioTests",
      dependencies: [
        "Studio", "reverie-studio", "TestSupport",
        .product(name: "HummingbirdTesting", package: "hummingbird"),
      ], exclude: ["Clients"], swiftSettings: swift),
    .testTarget(
      name: "ReverieTests",
      dependencies: [
        "reverie", "reverie-guide", "reverie-studio", "Commands", "Training", "TestSupport",
      ],
      exclude: ["Help"],
      swiftSettings: swift),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
