import Foundation
import Models
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

  /// What it has embeddings for, for messages.
  var names: String {
    let names = vectors.keys.filter { !$0.isEmpty }.sorted()
    return names.isEmpty ? "no CLIP by name" : names.joined(separator: ", ")
  }

  /// The rows for a perceptor, one after the other, and their number: under the name that it is installed
  /// as, or that of OpenAI's network that it is, as in pixray's files; else the only ones that there are,
  /// when they are not named as another network's and their width fits.
  func rows(for id: String, _ config: CLIP.Config) -> ([Float], Int)? {
    let own = Set([id, config.openAIName(id: id)].compactMap(\.self).map { plainName($0) })
    let named = vectors.sorted { $0.key < $1.key }.first { own.contains(plainName($0.key)) }?.value
    let published = Set(CLIP.Config.published.map { plainName($0.name) })
    let only =
      vectors.count == 1 ? vectors.first { !published.contains(plainName($0.key)) }?.value : nil
    guard let rows = named ?? only, !rows.isEmpty,
      rows.allSatisfy({ $0.count == config.embedDim })
    else { return nil }
    return (rows.flatMap { $0 }, rows.count)
  }
}
