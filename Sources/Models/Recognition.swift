import Foundation
import Weights

/// What a file of weights holds, found out from its keys, its shapes and the files beside it, without
/// reading a tensor.
///
/// ```swift
/// let found = try Recognition(of: openTensors(at: url))
/// print(found.title)  // CLIP ViT-B/32
/// ```
public struct Recognition {
  /// A network that Reverie has, with its sizes.
  public enum Network: Sendable, Equatable {
    case clip(CLIP.Config)
    case vqgan(VQGAN.Config)
    case dvaeEncoder(DVAE.Config)
    case dvaeDecoder(DVAE.Config)
    case bigGAN(BigGAN.Config)
    case vDiffusion(VDiffusion.Config)
    case rrdbNet(RRDBNet.Config)
    case vgg16(VGG16.Config)
    case aestheticHead(AestheticHead.Config)

    /// The network without its sizes.
    public enum Role: Sendable {
      case clip, vqgan, dvaeEncoder, dvaeDecoder, bigGAN, vDiffusion, rrdbNet, vgg16
      case aestheticHead
    }

    /// Which of them it is.
    public var role: Role {
      switch self {
      case .clip: .clip
      case .vqgan: .vqgan
      case .dvaeEncoder: .dvaeEncoder
      case .dvaeDecoder: .dvaeDecoder
      case .bigGAN: .bigGAN
      case .vDiffusion: .vDiffusion
      case .rrdbNet: .rrdbNet
      case .vgg16: .vgg16
      case .aestheticHead: .aestheticHead
      }
    }
  }

  /// The file.
  public let file: any TensorFile
  /// The network; nil when it is none that Reverie has.
  public let network: Network?
  /// The layout of the keys, for people.
  public let layout: String
  /// What stands before the network's keys in the file.
  public let prefix: String
  /// Why something was taken for granted that neither keys nor shapes tell.
  public let notes: [String]

  private let layouts: [KeyRules]

  /// Looks at a file.
  /// - Parameter folder: where configurations lie beside it; its own folder if left out.
  /// - Throws: `CLIP.ConfigError` when the keys are those of a network and the shapes are not.
  public init(of file: any TensorFile, beside folder: URL? = nil) throws {
    let sidecars = Sidecars(in: folder ?? file.url.deletingLastPathComponent())
    self.file = file
    for family in Self.families {
      guard let prefix = family.prefix(in: file.names) else { continue }
      let keys = file.names.filter { $0.hasPrefix(prefix) }.map {
        String($0.dropFirst(prefix.count))
      }
      guard family.needs.allSatisfy(keys.contains) else { continue }
      let layouts = family.layouts(keys)
      let checkpoint = try Checkpoint(file, layouts: layouts, prefix: prefix)
      guard let (network, notes) = try family.network(checkpoint, sidecars) else { continue }
      self.network = network
      self.layout = checkpoint.layout?.name ?? family.layout
      self.layouts = layouts
      self.prefix = prefix
      self.notes = notes
      return
    }
    (network, layout, layouts, prefix, notes) = (nil, "unknown", [], "", [])
  }

  /// The network in a few words.
  public var title: String {
    switch network {
    case .clip(let config): "CLIP \(config.publishedName ?? "of its own sizes")"
    case .vqgan(let config):
      "VQGAN f\(config.factor), \(config.n_embed) codes" + (config.gumbel ? ", Gumbel" : "")
        + (config.levels > 1 ? ", \(config.levels) levels" : "")
    case .dvaeEncoder: "encoder of DALL·E's dVAE"
    case .dvaeDecoder: "decoder of DALL·E's dVAE"
    case .bigGAN(let config): "BigGAN-deep \(config.size), \(config.num_classes) classes"
    case .vDiffusion(let config): config.title
    case .rrdbNet(let config): "RRDBNet x\(config.scale), \(config.num_block) blocks"
    case .vgg16: "VGG-16"
    case .aestheticHead(let config):
      "aesthetic score of embeddings of \(config.width) numbers, "
        + (config.layers.isEmpty ? "linear" : "\(config.layers.count) layers")
    case nil: "no network that Reverie has"
    }
  }

  /// The file as a checkpoint of its network.
  public func checkpoint() throws -> Checkpoint {
    try Checkpoint(file, layouts: layouts, prefix: prefix)
  }

  /// What in the file does not fit the network; nil when all fits, or there is no network.
  public func misfit() throws -> String? {
    let checkpoint = try checkpoint()
    return switch network {
    case .clip(let config): try checkpoint.misfit(leftovers: CLIP.leftovers) { CLIP($0, config) }
    case .vqgan(let config): try checkpoint.misfit(leftovers: VQGAN.leftovers) { VQGAN($0, config) }
    case .dvaeEncoder(let config): try checkpoint.misfit { DVAEEncoder($0, config) }
    case .dvaeDecoder(let config): try checkpoint.misfit { DVAEDecoder($0, config) }
    case .bigGAN(let config): try checkpoint.misfit { BigGAN($0, config) }
    case .vDiffusion(let config): try checkpoint.misfit { VDiffusion($0, config) }
    case .rrdbNet(let config): try checkpoint.misfit { RRDBNet($0, config) }
    case .vgg16(let config): try checkpoint.misfit(leftovers: VGG16.leftovers) { VGG16($0, config) }
    case .aestheticHead(let config): try checkpoint.misfit { AestheticHead($0, config) }
    case nil: nil
    }
  }

  // MARK: Families

  /// Files whose keys look alike.
  private struct Family: Sendable {
    /// For people.
    let layout: String
    /// The key that tells; what stands before it is the prefix.
    let mark: String
    /// Other keys that must be there.
    var needs: [String] = []
    let layouts: @Sendable ([String]) -> [KeyRules]
    /// The network and the notes, from the checkpoint's shapes.
    let network: @Sendable (Checkpoint, Sidecars) throws -> (Network, [String])?

    /// The prefix under which the mark is found: that of averaged weights if there is one, else the
    /// shortest.
    func prefix(in names: [String]) -> String? {
      let prefixes = names.filter { $0 == mark || $0.hasSuffix("." + mark) }
        .map { String($0.dropLast(mark.count)) }
      return prefixes.first { $0 == "params_ema." } ?? prefixes.min { $0.count < $1.count }
    }
  }

  private static let families: [Family] = [
    Family(
      layout: "OpenAI CLIP", mark: "visual.conv1.weight", needs: ["token_embedding.weight"],
      layouts: { _ in [] }, network: clip),
    Family(
      layout: "transformers CLIPModel", mark: CLIP.transformers.mark,
      needs: ["text_model.embeddings.token_embedding.weight"], layouts: { _ in CLIP.layouts },
      network: clip),
    Family(
      layout: "SLIP", mark: "visual.cls_token", needs: ["image_projection"], layouts: { _ in [] },
      network: clip),
    Family(
      layout: "taming VQGAN", mark: "quantize.embedding.weight",
      needs: ["encoder.conv_in.weight"], layouts: { VQGAN.layouts(of: $0) }, network: vqgan),
    Family(
      layout: "taming GumbelVQ", mark: "quantize.embed.weight", needs: ["encoder.conv_in.weight"],
      layouts: { _ in [] }, network: vqgan),
    Family(
      layout: "OpenAI dVAE", mark: "blocks.input.w", layouts: { _ in [] },
      network: { checkpoint, _ in
        guard let config = DVAE.Config(detecting: checkpoint.shapes) else { return nil }
        let isEncoder = checkpoint.shape("blocks.input.w")?.last == 7
        return (isEncoder ? .dvaeEncoder(config) : .dvaeDecoder(config), [])
      }),
    Family(
      layout: "pytorch-pretrained-BigGAN", mark: "generator.gen_z.weight_orig",
      needs: ["embeddings.weight"], layouts: { _ in [] }, network: bigGAN),
    Family(
      layout: "v-diffusion", mark: "timestep_embed.weight", needs: ["net.0.main.0.weight"],
      layouts: { _ in [] },
      network: { checkpoint, _ in
        VDiffusion.Config(detecting: checkpoint.shapes).map { (.vDiffusion($0), []) }
      }),
    Family(
      layout: "Real-ESRGAN", mark: "conv_first.weight", layouts: { RRDBNet.layouts(of: $0) },
      network: rrdbNet),
    Family(
      layout: "ESRGAN of 2018", mark: RRDBNet.oldestMark,
      layouts: { RRDBNet.layouts(of: $0) }, network: rrdbNet),
    Family(
      layout: "torchvision VGG", mark: "features.24.weight",
      needs: ["features.0.weight", "features.2.weight", "features.17.weight"],
      layouts: { _ in [] },
      network: { checkpoint, _ in
        VGG16.Config(detecting: checkpoint.shapes).map { (.vgg16($0), []) }
      }),
    Family(
      layout: "improved-aesthetic-predictor", mark: "layers.0.weight", layouts: { _ in [] },
      network: aestheticHead),
    // Any file has a key that ends so: this family must be asked last.
    Family(
      layout: "aesthetic-predictor", mark: "weight", needs: ["bias"], layouts: { _ in [] },
      network: aestheticHead),
  ]

  @Sendable private static func clip(_ checkpoint: Checkpoint, _ sidecars: Sidecars) throws -> (
    Network, [String]
  )? {
    var config = try CLIP.Config(detecting: checkpoint.shapes)
    let notes = CLIPConventions.complete(&config, checkpoint, sidecars)
    return (.clip(config), notes)
  }

  @Sendable private static func vqgan(_ checkpoint: Checkpoint, _ sidecars: Sidecars) throws -> (
    Network, [String]
  )? {
    guard let config = VQGAN.Config(detecting: checkpoint.shapes) else { return nil }
    guard let told = sidecars.vqgan(for: checkpoint.file.url) else {
      return (.vqgan(config), ["sizes by the shapes; there is no yaml beside the file"])
    }
    return told.config == config
      ? (.vqgan(config), ["sizes by \(told.name), which the shapes bear out"])
      : (.vqgan(config), ["sizes by the shapes; \(told.name) says something else"])
  }

  @Sendable private static func bigGAN(_ checkpoint: Checkpoint, _ sidecars: Sidecars) throws -> (
    Network, [String]
  )? {
    guard let config = BigGAN.Config(detecting: checkpoint.shapes) else { return nil }
    guard let told = sidecars.bigGAN(for: checkpoint.file.url) else {
      return (.bigGAN(config), ["every other block doubles the picture; no config.json says so"])
    }
    return (.bigGAN(told.value), ["sizes by \(told.name)"])
  }

  @Sendable private static func rrdbNet(_ checkpoint: Checkpoint, _ sidecars: Sidecars) throws -> (
    Network, [String]
  )? {
    RRDBNet.Config(detecting: checkpoint.shapes).map { (.rrdbNet($0), []) }
  }

  @Sendable private static func aestheticHead(_ checkpoint: Checkpoint, _ sidecars: Sidecars)
    throws -> (Network, [String])?
  {
    AestheticHead.Config(detecting: checkpoint.shapes).map {
      (.aestheticHead($0), ["the scale is that of the CLIP it was trained on, by its file's name"])
    }
  }
}
