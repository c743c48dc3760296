import Foundation
import Models
import Tokenizers
import Torch
import Weights

/// The networks of a pack on one device, loaded when first needed.
///
/// Not `Sendable`: it stays with the engine's actor.
final class Networks {
  let pack: Pack
  let device: Device
  let dtype: DType
  private let library: ModelLibrary
  private let cache: EmbeddingCache?
  private var loadedPerceptors: [String: (CLIP, CLIPTokenizer)] = [:]
  private var loadedDrawings: [String: DrawingModel] = [:]
  private var loadedOthers: [String: Any] = [:]
  private var loadedTokenizer: CLIPTokenizer?
  private var loadedCLIP: CLIP?
  private var loadedVQGAN: VQGAN?
  private var loadedDALLE: DALLEBart?
  private var loadedUpscaler: RRDBNet?

  init(
    _ pack: Pack, _ library: ModelLibrary, cache: EmbeddingCache?, device: Device, dtype: DType
  ) {
    self.pack = pack
    self.library = library
    self.cache = cache
    self.device = device
    self.dtype = dtype
  }

  func tokenizer() throws -> CLIPTokenizer {
    if let loadedTokenizer { return loadedTokenizer }
    let tokenizer = try CLIPTokenizer(contentsOf: pack.checkedFile("tokenizer.json"))
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

  /// The pack's network that doubles pictures; nil where the pack has none.
  func upscaler() throws -> RRDBNet? {
    guard pack.upscaler != nil else { return nil }
    if let loadedUpscaler { return loadedUpscaler }
    let model = try load("upscaler", pack.upscaler) { RRDBNet($0, $1) }
    loadedUpscaler = model
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

  // MARK: By the request's choice

  /// The critics that a request names, their weights adding up to one.
  func perceptors(_ request: Request) throws -> [Perceptor] {
    let choices =
      try request.clip.map { try Perceptor.Choice.parse($0) } ?? Perceptor.Choice.standard
    let sum = choices.reduce(0) { $0 + $1.weight }
    return try choices.map { choice in
      let (clip, tokenizer) = try perceptor(choice.id)
      return Perceptor(
        id: choice.id, clip: clip, tokenizer: tokenizer, weight: choice.weight / sum,
        fingerprint: "\(try fingerprint(choice.id)) \(dtype) \(device)", cache: cache)
    }
  }

  /// The pack's own critic.
  func ownPerceptor() throws -> Perceptor {
    Perceptor(
      id: "pack", clip: try clip(), tokenizer: try tokenizer(), weight: 1,
      fingerprint: "\(try fingerprint("pack")) \(dtype) \(device)", cache: cache)
  }

  private func fingerprint(_ id: String) throws -> String {
    guard id == "pack" else { return try library.fingerprint(id) }
    let names = ["clip.safetensors", "tokenizer.json"]
    return names.compactMap { pack.manifest.files[$0]?.sha256 }.joined(separator: " ")
  }

  private func perceptor(_ id: String) throws -> (CLIP, CLIPTokenizer) {
    if id == "pack" { return (try clip(), try tokenizer()) }
    if let loaded = loadedPerceptors[id] { return loaded }
    let made = try library.clip(id, dtype, device)
    loadedPerceptors[id] = made
    return made
  }

  /// The network that draws what a request asks for.
  /// - Parameter id: of an installed model; nil for the pack's own.
  func drawing(_ id: String?) throws -> DrawingModel {
    guard let id else { return .vqgan(try vqgan()) }
    if let loaded = loadedDrawings[id] { return loaded }
    let made = try library.drawing(id, dtype, device)
    loadedDrawings[id] = made
    return made
  }

  /// The dVAE `id`, or the first that is installed.
  func dvae(_ id: String?) throws -> DrawingModel {
    try drawing(id ?? library.first(.dvae))
  }

  // MARK: By kind

  /// The BigGAN `id`; without a name the pack's, or the first that is installed.
  func bigGAN(_ id: String?) throws -> BigGAN {
    try kept("biggan", id) {
      id == nil && pack.biggan != nil
        ? try load("biggan", pack.biggan) { BigGAN($0, $1) }
        : try library.bigGAN(id, dtype, device)
    }
  }

  /// What tells the BigGAN `id` from others.
  func bigGANFingerprint(_ id: String?) throws -> String {
    if id == nil, pack.biggan != nil, let file = pack.manifest.files["biggan.safetensors"] {
      return file.sha256
    }
    return try library.fingerprint(id ?? library.first(.biggan))
  }

  /// The network `id` that enlarges pictures, or the first that is installed.
  func upscaler(_ id: String?) throws -> RRDBNet {
    try kept("upscaler", id) { try library.upscaler(id, dtype, device) }
  }

  /// The diffusion model `id`; without a name the pack's, or the first that is installed.
  func diffusion(_ id: String?) throws -> DiffusionModel {
    try kept("diffusion", id) {
      guard id == nil, pack.diffusion != nil else {
        return .init(network: try library.diffusion(id, dtype, device), codes: nil)
      }
      let network = try load("diffusion", pack.diffusion) { VDiffusion($0, $1) }
      return .init(network: network, codes: try vqgan())
    }
  }

  /// The VGG `id`, or the first that is installed.
  func vgg(_ id: String?) throws -> VGG16 {
    try kept("vgg", id) { try library.vgg(id, dtype, device) }
  }

  /// The head `id` that scores embeddings, or the first that is installed.
  func aestheticHead(_ id: String?) throws -> AestheticHead {
    try kept("aesthetic", id) { try library.aestheticHead(id, device) }
  }

  private func kept<Model>(_ kind: String, _ id: String?, _ open: () throws -> Model) rethrows
    -> Model
  {
    let key = "\(kind) \(id ?? "")"
    if let loaded = loadedOthers[key] as? Model { return loaded }
    let made = try open()
    loadedOthers[key] = made
    return made
  }
}
