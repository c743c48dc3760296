import Foundation
import Library
import Models
import TestSupport
import Torch

@testable import Painting

/// Methods by the names that tests use.
extension Method.ID {
  static let dalle: Self = "dalle"
  static let diffusion: Self = "diffusion"
  static let vqganCLIP: Self = "vqgan-clip"
  static let bigSleep: Self = "big-sleep"
  static let pixels: Self = "pixels"
}

extension Method {
  /// Where a drawer of this method is made by itself, from these of its arguments.
  func context(
    _ arguments: [String: JSONValue] = [:], width: Int = 64, height: Int = 64, seed: UInt64 = 0,
    initial: Tensor? = nil
  ) -> PartContext {
    PartContext(
      id.rawValue, self.arguments, arguments, width: width, height: height, seed: seed,
      initial: initial)
  }
}

extension Networks {
  /// The networks of a pack, and of what is installed; none is released.
  /// - Parameter library: nothing is installed if left out.
  init(_ pack: Pack, _ library: ModelLibrary? = nil) throws {
    let library = try library ?? TinyPack.resolver(pack).library
    self.init(
      provider: ModelProvider(pack: pack, library: library, cache: nil, device: .cpu, budget: .max),
      dtype: .float32)
  }
}

extension PipelineContext {
  /// Where a request is painted, what it leaves open filled.
  init(
    _ request: Request, _ networks: Networks, initial: Tensor? = nil,
    files: Attachments = Attachments()
  ) throws {
    let resolver = Resolver(pack: networks.pack, library: networks.provider.library)
    let resolved = try resolver.resolve(request, device: .cpu)
    self.init(
      request: resolved, method: try resolver.method(for: resolved), registry: .builtIn,
      networks: networks, size: try resolver.paintedSize(resolved), initial: initial, files: files)
  }

  /// The painting.
  func pipeline() throws -> any Pipeline { try method.make(self) }
}

extension PipelineState {
  /// The notes as JSON.
  var json: [String: JSONValue] {
    get throws { try JSONDecoder().decode([String: JSONValue].self, from: notes) }
  }
}
