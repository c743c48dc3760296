import Foundation
import Torch
import Weights

/// The sizes of a network: what a pack's manifest, a training's configuration and a model's record say.
public protocol NetworkConfig: Codable, Sendable, Equatable {
  /// Why these sizes make no network, in words that follow on "under 'vqgan' of its pack.json"; nil when
  /// they do. Sizes come from files that users write: what would otherwise surface as a trap deep inside
  /// a network is found here first.
  var problem: String? { get }
  /// The network in a few words: "CLIP ViT-B/32".
  var title: String { get }
  /// Pixels of a picture along each axis for one position of what the network draws; nil where it draws no
  /// pictures.
  var pixelsPerPosition: Int? { get }
  /// Tokens of a text that the network knows; nil where it reads no texts.
  var vocabularySize: Int? { get }
}

extension NetworkConfig {
  /// All sizes make a network, unless a configuration says otherwise.
  public var problem: String? { nil }
  /// The network draws no pictures, unless a configuration says otherwise.
  public var pixelsPerPosition: Int? { nil }
  /// The network reads no texts, unless a configuration says otherwise.
  public var vocabularySize: Int? { nil }
}

/// A network that can be told from its files and built from them.
public protocol Network: SendableMetatype {
  /// Its sizes.
  associatedtype Config: NetworkConfig
  /// How its files are known, and how it is built.
  static var architecture: Architecture { get }
  /// The network with parameters at `p`.
  init(_ p: Parameters, _ config: Config)
}

/// A network without its weights: how to know its files, what they say of its sizes, how to build it.
///
/// It stands at the end of the network's own file; recognition, store, packs, training and studio iterate
/// over `all` and name none.
public struct Architecture: Sendable, Identifiable {
  /// Files whose keys look alike.
  public struct Layout: Sendable {
    /// For people, "taming VQGAN" for instance.
    public let name: String
    /// The key that tells; what stands before it in a file is the prefix of all keys.
    public let mark: String
    /// Other keys that must be there.
    public let needs: [String]
    /// What the prefix ends with where the network meant stands in a larger one: "first_stage_model.".
    public let role: String?
    /// From the file's keys to the rules that rename them to ours; none where they are ours.
    public let rules: @Sendable ([String]) -> [KeyRules]

    /// A layout; see the fields.
    public init(
      _ name: String, mark: String, needs: [String] = [], role: String? = nil,
      rules: @escaping @Sendable ([String]) -> [KeyRules] = { _ in [] }
    ) {
      (self.name, self.mark, self.needs, self.role, self.rules) = (name, mark, needs, role, rules)
    }

    /// The prefixes under which the mark is found: the one of the role first, then those of averaged
    /// weights, then the shorter ones. Of very many only the first are given.
    func prefixes(in names: [String]) -> [String] {
      let prefixes = names.filter { $0 == mark || $0.hasSuffix("." + mark) }
        .map { String($0.dropLast(mark.count)) }
      func order(_ prefix: String) -> (Int, Int, String) {
        let last = prefix.split(separator: ".").last ?? ""
        let isAveraged = last == "ema" || last.hasSuffix("_ema")
        let hasRole = role.map { prefix == $0 || prefix.hasSuffix("." + $0) } ?? false
        return (hasRole ? 0 : isAveraged ? 1 : 2, prefix.utf8.count, prefix)
      }
      return Array(prefixes.map { (order($0), $0) }.sorted { $0.0 < $1.0 }.map(\.1).prefix(16))
    }
  }

  /// Sizes, and why something was taken for granted that neither keys nor shapes tell.
  public typealias Detected = (config: any NetworkConfig, notes: [String])

  /// The name: "vqgan".
  public let id: String
  /// What models of it are used as: "clip", "upscaler". It is what `reverie models list` shows.
  public let kind: String
  /// The networks, by name, that may be installed together with it as one model, which is then of its kind.
  public let partners: [String]
  /// How its files look; none where it comes only in packs.
  public let layouts: [Layout]
  /// Keys that may stay unused, for a network of these sizes.
  public let leftovers: @Sendable (any NetworkConfig) -> [String]
  /// Names of files that may lie beside one of weights and are used with it.
  public let sidecars: @Sendable (URL) -> [String]

  let detect: @Sendable (Checkpoint, Sidecars) throws -> Detected?
  let decode: @Sendable (Data) throws -> any NetworkConfig
  let build: @Sendable (Parameters, any NetworkConfig) -> any Network

  /// The architecture of a network.
  /// - Parameters:
  ///   - kind: what it is used as.
  ///   - detect: reads the sizes from a checkpoint's shapes and from what lies beside it; nil when it is
  ///     something else after all.
  public init<N: Network>(
    _ id: String, _ type: N.Type, kind: String, partners: [String] = [], layouts: [Layout] = [],
    leftovers: @escaping @Sendable (N.Config) -> [String] = { _ in [] },
    sidecars: @escaping @Sendable (URL) -> [String] = { _ in [] },
    detect: @escaping @Sendable (Checkpoint, Sidecars) throws -> (N.Config, [String])?
  ) {
    self.id = id
    self.kind = kind
    self.partners = partners
    self.layouts = layouts
    self.leftovers = { ($0 as? N.Config).map(leftovers) ?? [] }
    self.sidecars = sidecars
    self.detect = { try detect($0, $1).map { ($0.0, $0.1) } }
    decode = { try JSONDecoder().decode(N.Config.self, from: $0) }
    build = { p, config in
      guard let config = config as? N.Config else {
        preconditionFailure("\(id) is not built of \(Swift.type(of: config))")
      }
      return N(p, config)
    }
  }

  /// The sizes that a JSON document tells.
  /// - Throws: `DecodingError`.
  public func config(from json: Data) throws -> any NetworkConfig { try decode(json) }

  /// Builds the network from a checkpoint in one of its layouts.
  /// - Throws: `WeightsError.mismatch`, with every key that does not fit.
  public func build(
    _ config: any NetworkConfig, from checkpoint: Checkpoint, _ dtype: DType, device: Device,
    eightBits: Bool = false
  ) throws -> any Network {
    try checkpoint.build(
      dtype, device: device, eightBits: eightBits, leftovers: leftovers(config)
    ) { build($0, config) }
  }

  /// How a checkpoint fits the network, found without reading a tensor.
  func fit(_ config: any NetworkConfig, _ checkpoint: Checkpoint) throws -> Checkpoint.Fit {
    try checkpoint.fit(leftovers: leftovers(config)) { build($0, config) }
  }
}

extension Architecture {
  /// The networks that Reverie has. Of two whose keys a file has, the earlier one is taken.
  public static let builtIn: [Architecture] = [
    CLIP.architecture, VQGAN.architecture, DVAEEncoder.architecture, DVAEDecoder.architecture,
    BigGAN.architecture, VDiffusion.architecture, GuidedDiffusion.architecture,
    GuidedClassifier.architecture, SecondaryDiffusion.architecture, RRDBNet.architecture,
    SRVGGNetCompact.architecture, VGG16.architecture, LPIPS.architecture, DALLEBart.architecture,
    VQGANDetokenizer.architecture, UnCLIPPrior.architecture, DiffusionPrior.architecture,
    GLIDE.architecture, GLIDEUpsampler.architecture, UnCLIPDecoder.architecture,
    UnCLIPUpsampler.architecture,
    NoisedCLIPTextEncoder.architecture, NoisedCLIPImageEncoder.architecture,
    AttnGAN.architecture, AttnGANText.architecture, DAMSMImageEncoder.architecture,
    // Any file has a key that ends as one of its marks: it must be asked last.
    AestheticHead.architecture,
  ]
}
