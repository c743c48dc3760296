import Foundation
import Torch
import Weights

/// Embeddings from a file: safetensors with a tensor `[E]` or `[M, E]` for each perceptor, or JSON as
/// pixray's vector prompts have it, `{"ViT-B/32": [0.1, …]}`.
struct EmbeddingFile {
  private let vectors: [String: [[Float]]]

  /// Largest file that is read.
  static let largest = 64 << 20

  /// Reads a file.
  /// - Throws: `RequestError` when there are no embeddings in it, or `WeightsError`.
  init(contentsOf url: URL) throws {
    func refuse(_ reason: String) -> RequestError {
      .badValue(field: "embedding", reason: "\(url.lastPathComponent) \(reason)")
    }
    if url.pathExtension == "safetensors" {
      let file = try SafeTensors(contentsOf: url)
      vectors = try file.names.reduce(into: [:]) { vectors, name in
        let tensor = try file.tensor(name)
        guard (1...2).contains(tensor.rank), tensor.count > 0, tensor.count <= 1 << 24 else {
          throw refuse("has '\(name)' of shape \(tensor.shape), which is not [E] or [M, E]")
        }
        let width = tensor.size(-1)
        let all = tensor.floats()
        vectors[name] = stride(from: 0, to: all.count, by: width).map {
          Array(all[$0..<($0 + width)])
        }
      }
    } else {
      let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
      guard size <= Self.largest else { throw refuse("is larger than 64 MB") }
      let data = try RegularFile.data(at: url)
      if let one = try? JSONDecoder().decode([String: [Float]].self, from: data) {
        vectors = one.mapValues { [$0] }
      } else if let many = try? JSONDecoder().decode([String: [[Float]]].self, from: data) {
        vectors = many
      } else if let plain = try? JSONDecoder().decode([Float].self, from: data) {
        vectors = ["": [plain]]
      } else {
        throw refuse("is no list of numbers and no object of such lists by perceptor")
      }
    }
    guard vectors.values.allSatisfy({ $0.allSatisfy { $0.allSatisfy(\.isFinite) } }) else {
      throw refuse("holds numbers that are not finite")
    }
  }

  /// The rows for a perceptor, one after the other, and their number.
  func rows(for id: String, width: Int) -> ([Float], Int)? {
    func plain(_ name: String) -> String {
      name.lowercased().filter { $0.isLetter || $0.isNumber }
    }
    let named = vectors.first { plain($0.key) == plain(id) }?.value
    let only = vectors.count == 1 ? vectors.values.first : nil
    guard let rows = named ?? only, !rows.isEmpty, rows.allSatisfy({ $0.count == width }) else {
      return nil
    }
    return (rows.flatMap { $0 }, rows.count)
  }
}
