import Foundation
import Models
import Tokenizers
import Torch
import Weights

// Installed models that are asked for by what they hold.

extension ModelLibrary {
  /// The network of an architecture in an installed model.
  /// - Throws: `StoreError` when the model is not installed or holds something else; `WeightsError`.
  package func component(_ architecture: Architecture, of id: String) throws -> Recognition {
    let model = try store.model(id)
    let found = try look(at: model.folder)
    guard let component = found.first(where: { $0.architecture?.id == architecture.id }) else {
      throw StoreError.nothing(
        path: id, reason: "it is \(model.record.title), not of the kind '\(architecture.kind)'")
    }
    return component
  }

  /// The sizes of a network in an installed model, with what its owner said; nil where that is nothing.
  package func config<N: Network>(_ type: N.Type, of id: String, _ found: Recognition) throws -> N
    .Config?
  {
    guard let quick = try store.model(id).record.quickGELU,
      var config = found.config as? CLIP.Config
    else { return nil }
    config.quickGELU = quick
    return config as? N.Config
  }

  /// The sizes of a network in an installed model.
  /// - Throws: as ``component(_:of:)``.
  package func config<N: Network>(_ type: N.Type, of id: String) throws -> N.Config {
    let found = try component(N.architecture, of: id)
    guard let config = found.config as? N.Config else {
      throw StoreError.nothing(path: id, reason: "it is \(found.title)")
    }
    return config
  }

  /// The installed models of this architecture, by name.
  package func installed(_ architecture: Architecture) -> [String] {
    store.models().filter { model in
      model.record.components.map { $0[architecture.id] != nil }
        ?? (model.record.kind.rawValue == architecture.kind)
    }.map(\.record.id)
  }

  /// The first model of this architecture that is installed.
  /// - Throws: `StoreError` when there is none, with the command that gets one.
  package func first(_ architecture: Architecture) throws -> String {
    if let found = installed(architecture).first { return found }
    let known = try KnownModel.all().first { $0.kind.rawValue == architecture.kind }
    throw StoreError.nothing(
      path: architecture.kind,
      reason: "no such model is installed. Add one with: reverie models "
        + (known.map { "pull \($0.id)" } ?? "add FOLDER"))
  }

  /// The vocabulary that lies with a model, else one of the right size that is installed.
  package func tokenizer(of id: String) throws -> CLIPTokenizer {
    let model = try store.model(id)
    let size = try look(at: model.folder).lazy.compactMap { $0.config?.vocabularySize }.first
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
      path: id,
      reason: "it comes without its vocabulary of \(size ?? 0) tokens. Add one with: "
        + "reverie models pull clip-vocabulary, or with: "
        + "reverie models add bpe_simple_vocab_16e6.txt.gz")
  }

  /// The byte-level vocabulary that lies with a model.
  /// - Throws: `StoreError` when there is none of at most `size` tokens.
  package func byteTokenizer(
    of id: String, _ convention: ByteBPETokenizer.Convention, size: Int
  ) throws -> ByteBPETokenizer {
    let model = try store.model(id)
    var reason =
      "it comes without its vocabulary: add it again from a folder with tokenizer.json, with vocab.json and "
      + "merges.txt, or with encoder.json and vocab.bpe"
    for name in [
      "tokenizer.json", "vocab.json", "vocab_mini.json", "encoder.json", "encoder.json.gz",
    ]
    where model.record.files[name] != nil {
      do {
        let tokenizer = try ByteBPETokenizer(contentsOf: model.url(name), convention)
        if tokenizer.vocabularySize <= size { return tokenizer }
        reason = "its \(name) has \(tokenizer.vocabularySize) tokens, and its network \(size)"
      } catch let error as TokenizerError {
        reason = "\(error)"
      }
    }
    throw StoreError.nothing(path: id, reason: reason)
  }

  /// CLIP's vocabulary as GLIDE's noised CLIP reads by it: of OpenAI's size, whatever its network's is.
  /// - Throws: `StoreError` when none is installed.
  package func noisedCLIPTokenizer(of id: String) throws -> CLIPTokenizer {
    let own = try store.model(id)
    for model in [own] + store.models().filter({ $0.record.id != id }) {
      for name in model.record.files.keys.sorted()
      where name.hasPrefix("bpe_") || model.record.id != id && name == "vocab.json" {
        guard let tokenizer = try? CLIPTokenizer(contentsOf: model.url(name)) else { continue }
        return tokenizer
      }
    }
    throw StoreError.nothing(
      path: id,
      reason: "its noised CLIP comes without its vocabulary. Add one with: "
        + "reverie models pull clip-vocabulary")
  }

  /// The dictionary that lies with an AttnGAN.
  /// - Throws: `StoreError` when there is none; `WeightsError` when it cannot be read.
  package func wordTokenizer(of id: String) throws -> WordTokenizer {
    let model = try store.model(id)
    guard model.record.files[AttnGAN.dictionaryFile] != nil else {
      throw StoreError.nothing(
        path: id,
        reason: "it comes without its dictionary: add it again from a folder with "
          + AttnGAN.dictionaryFile)
    }
    return try WordTokenizer(CaptionsFile(contentsOf: model.url(AttnGAN.dictionaryFile)).ids)
  }

  /// The model that draws what the codes of a DALL·E transformer show, and its architecture: the model
  /// itself, else the first installed one that was made for it.
  /// - Parameter codes: how many the transformer writes.
  /// - Throws: `StoreError` when there is none, with the command that gets one.
  package func codeDecoder(of id: String, codes: Int) throws -> (model: String, Architecture.ID) {
    let own = try store.model(id)
    for model in [own] + store.models().filter({ $0.record.id != own.record.id }) {
      for architecture in [VQGAN.architecture, VQGANDetokenizer.architecture]
      where model.record.components?[architecture.id] != nil {
        guard
          let config = try component(architecture, of: model.record.id).config as? VQGAN.Config,
          config.levels == 1, config.n_embed >= codes,
          model.record.id == own.record.id || config.unitRange && config.n_embed == codes
        else { continue }
        return (model.record.id, architecture.id)
      }
    }
    throw StoreError.nothing(
      path: id,
      reason: "it comes without the VQGAN that draws its \(codes) codes. Add it with: "
        + "reverie models pull dalle-mini-vqgan")
  }

  /// Mean and deviation of embeddings, which lie with Karlo's prior; nil where they do not.
  /// - Throws: `StoreError`; `WeightsError` when the file cannot be read.
  package func embeddingStatistics(of id: String, on device: Device) throws -> (
    clip_mean: Tensor, clip_std: Tensor
  )? {
    let model = try store.model(id)
    guard model.record.files[UnCLIPPrior.statisticsFile] != nil else { return nil }
    return try UnCLIPPrior.statistics(
      contentsOf: model.url(UnCLIPPrior.statisticsFile), on: device)
  }

  /// A hash that tells whether two installations are the same model.
  public func fingerprint(_ id: String) throws -> String {
    let files = try store.model(id).record.files.sorted { $0.key < $1.key }
    return Checksum.sha256(of: files.map(\.value.sha256).joined(separator: "\n"))
  }
}
