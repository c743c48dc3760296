import Foundation
import Models
import Tokenizers
import Torch
import Weights

/// A network that draws pictures from codes.
enum DrawingModel {
  case vqgan(VQGAN)
  /// The encoder only where it was installed.
  case dvae(decoder: DVAEDecoder, encoder: DVAEEncoder?, DVAE.Config)
}

// Installed models made into networks.

extension ModelLibrary {
  /// An installed CLIP with its vocabulary.
  /// - Throws: `StoreError` when it is not installed or is no CLIP; `WeightsError`.
  func clip(_ id: String, _ dtype: DType, _ device: Device) throws -> (CLIP, CLIPTokenizer) {
    let model = try store.model(id)
    let found = try Self.look(at: model.folder)
    guard found.count == 1, case .clip(var config) = found[0].network else {
      throw StoreError.nothing(path: id, reason: "it is \(model.record.title), no CLIP")
    }
    if let quick = model.record.quickGELU { config.quickGELU = quick }
    let tokenizer = try vocabulary(for: model, size: config.text.vocabSize)
    let clip = try found[0].checkpoint().build(dtype, device: device, leftovers: CLIP.leftovers) {
      CLIP($0, config)
    }
    return (clip, tokenizer)
  }

  /// The vocabulary that lies with a model, else one of the right size that is installed.
  private func vocabulary(for model: ModelStore.Model, size: Int) throws -> CLIPTokenizer {
    let others = store.models().filter { $0.record.id != model.record.id }
    for candidate in [model] + others {
      let names = candidate.record.files.keys.sorted()
      let isVocabulary = candidate.record.kind == .vocabulary
      for name in names
      where isVocabulary || ["tokenizer.json", "vocab.json"].contains(name)
        || name.hasPrefix("bpe_")
      {
        guard let tokenizer = try? CLIPTokenizer(contentsOf: candidate.url(name)),
          tokenizer.vocabularySize == size
        else { continue }
        return tokenizer
      }
    }
    throw StoreError.nothing(
      path: model.record.id,
      reason: "it comes without its vocabulary of \(size) tokens. Add one with: "
        + "reverie models pull clip-vocabulary, or with: "
        + "reverie models add bpe_simple_vocab_16e6.txt.gz")
  }

  /// An installed VQGAN or dVAE.
  /// - Throws: `StoreError` when it is not installed or is neither; `WeightsError`.
  func drawing(_ id: String, _ dtype: DType, _ device: Device) throws -> DrawingModel {
    let model = try store.model(id)
    let found = try Self.look(at: model.folder)
    func network(_ role: Recognition.Network.Role) -> Recognition? {
      found.first { $0.network?.role == role }
    }
    if let file = network(.vqgan), case .vqgan(let config) = file.network {
      let vqgan = try file.checkpoint().build(dtype, device: device, leftovers: VQGAN.leftovers) {
        VQGAN($0, config)
      }
      return .vqgan(vqgan)
    }
    if let file = network(.dvaeDecoder), case .dvaeDecoder(let config) = file.network {
      let decoder = try file.checkpoint().build(dtype, device: device) { DVAEDecoder($0, config) }
      let encoder = try network(.dvaeEncoder)?.checkpoint().build(dtype, device: device) {
        DVAEEncoder($0, config)
      }
      return .dvae(decoder: decoder, encoder: encoder, config)
    }
    throw StoreError.nothing(
      path: id, reason: "it is \(model.record.title), which does not draw pictures")
  }

  /// Pixels of a picture along each axis for one code of an installed model.
  func factor(of id: String) throws -> Int {
    for recognition in try Self.look(at: store.model(id).folder) {
      switch recognition.network {
      case .vqgan(let config): return config.factor
      case .dvaeDecoder(let config): return config.factor
      case .vDiffusion(let config): return config.factor
      default: continue
      }
    }
    throw StoreError.nothing(path: id, reason: "it does not draw pictures")
  }

  /// A hash that tells whether two installations are the same model.
  public func fingerprint(_ id: String) throws -> String {
    let files = try store.model(id).record.files.sorted { $0.key < $1.key }
    return Checksum.sha256(of: files.map(\.value.sha256).joined(separator: "\n"))
  }
}
