import Foundation
import Library
import Models
import Tokenizers
import Torch

/// A text as an AttnGAN has read it.
struct AttnGANReading {
  /// What its network read, of one text.
  let reading: AttnGANText.Reading
  /// The words that it knows, in order, as they are written: one for each position of `reading`.
  let words: [String]
}

/// The networks of one AttnGAN, and how they read texts: an installed one by the dictionary that lies with
/// it, the pack's by the pack's vocabulary.
struct AttnGANModel {
  let generator: AttnGAN
  private let encoder: AttnGANText
  private let pieces: (String) -> (ids: [Int], words: [String])
  private let device: Device

  /// - Throws: `StoreError` with the next command where something is not installed; `WeightsError`.
  init(_ context: PipelineContext) throws {
    let networks = context.networks
    let model = try networks.attnGAN(context.request.model)
    device = networks.device
    generator = try networks.network(AttnGAN.self, of: model)
    encoder = try networks.network(AttnGANText.self, of: model)
    guard generator.config.embedding_dim == encoder.config.width else {
      throw StoreError.nothing(
        path: model ?? networks.pack.manifest.id,
        reason:
          "its text encoder reads \(encoder.config.width) numbers of a word, and its generator sees "
          + "\(generator.config.embedding_dim); add those that were trained together")
    }
    if let model {
      let tokenizer = try networks.provider.library.wordTokenizer(of: model)
      let known = encoder.config.words
      pieces = { text in
        let pairs = zip(tokenizer.encode(text), tokenizer.knownWords(in: text)).filter {
          $0.0 < known
        }
        return (pairs.map(\.0), pairs.map(\.1))
      }
    } else {
      let tokenizer = try networks.tokenizer()
      pieces = { text in
        let ids = tokenizer.encode(text)
        return (ids, ids.map { tokenizer.decode([$0]).trimmingCharacters(in: .whitespaces) })
      }
    }
  }

  /// Reads a text.
  /// - Throws: `RequestError` where it knows none of its words.
  func read(_ text: String) throws -> AttnGANReading {
    let (ids, words) = pieces(text)
    guard !ids.isEmpty else {
      throw RequestError.badValue(
        field: "prompt",
        reason:
          "has no word that this AttnGAN knows; it knows those that its pictures were described with"
      )
    }
    let tokens = Tensor(ids, [1, ids.count]).to(device)
    return AttnGANReading(
      reading: noGrad { encoder(tokens, lengths: [ids.count]) }, words: words)
  }
}

extension Networks {
  /// The installed model whose networks are one AttnGAN; nil where the pack's are.
  fileprivate func attnGAN(_ named: String?) throws -> String? {
    if named == nil, pack.network(AttnGAN.architecture.id) != nil { return nil }
    let model = try named ?? provider.library.first(AttnGAN.architecture)
    guard let components = try provider.library.store.model(model).record.components,
      components[AttnGAN.architecture.id] != nil, components[AttnGANText.architecture.id] == nil
    else { return model }
    throw StoreError.nothing(
      path: model,
      reason: "it comes without its text encoder. Add it again from a folder with its generator, "
        + "text_encoder200.pth and \(AttnGAN.dictionaryFile)")
  }
}

extension Request {
  /// The one text that an AttnGAN paints; nil where there is none, or more than one.
  var attnGANText: String? {
    guard let scenes = try? scenes(), scenes.count == 1, scenes[0].count == 1,
      scenes[0][0].weight > 0
    else { return nil }
    return scenes[0][0].text
  }
}

extension Resolver {
  /// The words of a request that the dictionary of an installed AttnGAN lacks.
  func unknownWords(_ request: Request, _ choice: Choice) -> [Remark] {
    guard
      choice.method.components.contains(where: { $0.architecture == AttnGANText.architecture.id }),
      !drawsWithPack(request, choice.method) || choice.model != nil,
      let model = choice.model ?? library.installed(AttnGAN.architecture).first,
      let tokenizer = try? library.wordTokenizer(of: model),
      let texts = try? request.scenes().joined().compactMap(\.text)
    else { return [] }
    let words = tokenizer.unknownWords(in: texts.joined(separator: "\n"))
    guard !words.isEmpty else { return [] }
    let told = words.prefix(6).map { "'\($0.prefix(40))'" }.joined(separator: ", ")
    let more = words.count > 6 ? " and \(words.count - 6) more" : ""
    return [
      Remark(
        "prompt",
        "The dictionary of \(model) lacks \(told)\(more): "
          + (words.count == 1 ? "it is not read." : "they are not read."))
    ]
  }
}
