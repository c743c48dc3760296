import Foundation
import Testing
import Torch
import Weights

/// What `Oracle` wrote.
struct Fixture {
  private let file: SafeTensors

  init(_ name: String) throws {
    let folder = try #require(Bundle.module.resourceURL)
    file = try SafeTensors(contentsOf: folder.appending(path: "Fixtures/\(name).safetensors"))
  }

  func callAsFunction(_ name: String) throws -> Tensor { try file.tensor(name) }
}
