import Foundation
import Models
import Torch
import Weights

/// The networks of a pack on one device, loaded when first needed.
///
/// Not `Sendable`: it stays with the engine's actor.
final class Networks {
  let pack: Pack
  let device: Device
  let dtype: DType
  private var loadedTokenizer: BPETokenizer?
  private var loadedCLIP: CLIP?
  private var loadedVQGAN: VQGAN?
  private var loadedDALLE: DALLEBart?

  init(_ pack: Pack, device: Device, dtype: DType) {
    self.pack = pack
    self.device = device
    self.dtype = dtype
  }

  func tokenizer() throws -> BPETokenizer {
    if let loadedTokenizer { return loadedTokenizer }
    let tokenizer = try BPETokenizer(contentsOf: pack.checkedFile("tokenizer.json"))
    let vocabularies = [
      ("clip", pack.clip?.text.vocabSize), ("dalle", pack.dalle?.text_vocab_count),
    ]
    for case (let name, let count?) in vocabularies where count < tokenizer.vocabularySize {
      throw PaintingError.badPack(
        path: pack.folder.path,
        reason: "\(name) knows \(count) tokens and the tokenizer has \(tokenizer.vocabularySize)")
    }
    loadedTokenizer = tokenizer
    return tokenizer
  }

  func clip() throws -> CLIP {
    if let loadedCLIP { return loadedCLIP }
    let model = try load("clip", pack.clip) { CLIP($0, $1) }
    loadedCLIP = model
    return model
  }

  func vqgan() throws -> VQGAN {
    if let loadedVQGAN { return loadedVQGAN }
    let model = try load("vqgan", pack.vqgan) { VQGAN($0, $1) }
    loadedVQGAN = model
    return model
  }

  func dalle() throws -> DALLEBart {
    if let loadedDALLE { return loadedDALLE }
    let model = try load("dalle", pack.dalle) { DALLEBart($0, $1) }
    loadedDALLE = model
    return model
  }

  private func load<Config, Model>(
    _ name: String, _ config: Config?, _ make: (Parameters, Config) -> Model
  ) throws -> Model {
    guard let config else {
      throw PaintingError.notInPack(pack: pack.manifest.id, what: name)
    }
    return try Checkpoint(contentsOf: pack.checkedFile("\(name).safetensors"))
      .build(dtype, device: device) { make($0, config) }
  }

  // MARK: What CLIP thinks

  /// Embedding of a text, `[1, E]`.
  func embedding(of text: String) throws -> Tensor {
    let clip = try clip()
    let tokens = try tokenizer()([text], length: clip.config.text.contextLength)
    return noGrad { clip.encodeText(tokens.to(device)) }
  }

  /// Objectives for the prompts.
  func objectives(_ prompts: [Prompt]) throws -> [any Objective] {
    try prompts.filter { $0.weight != 0 }.map {
      PromptObjective(try embedding(of: $0.text), weight: $0.weight, stop: $0.stop)
    }
  }

  /// Cosine similarity of pictures `[B, 3, H, W]` in 0…1 to a text embedding: `[B]`.
  func similarity(_ pictures: Tensor, to text: Tensor) throws -> Tensor {
    let clip = try clip()
    let size = clip.config.vision.imageSize
    return noGrad {
      let fits = pictures.size(2) == size && pictures.size(3) == size
      let seen = fits ? pictures : pictures.resampled(size, size, .bilinear, antialias: true)
      let embeddings = clip.embed(seen.clamped(0, 1))
      return (embeddings.normalized() * text.normalized()).sum(over: [-1])
    }
  }
}
