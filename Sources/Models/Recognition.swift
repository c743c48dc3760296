import Foundation
import Torch
import Weights

/// What a file of weights holds, found out from its keys, its shapes and the files beside it, without
/// reading a tensor.
///
/// ```swift
/// let found = try Recognition(of: openTensors(at: url))
/// print(found.title)  // CLIP ViT-B/32
/// ```
public struct Recognition {
  /// The file.
  public let file: any TensorFile
  /// The network; nil when it is none that Reverie has.
  public let architecture: Architecture?
  /// The network's sizes; nil with it.
  public let config: (any NetworkConfig)?
  /// The layout of the keys, for people.
  public let layout: String
  /// What stands before the network's keys in the file.
  public let prefix: String
  /// Why something was taken for granted that neither keys nor shapes tell.
  public let notes: [String]

  private let rules: [KeyRules]

  /// Looks at a file.
  /// - Parameters:
  ///   - folder: where configurations lie beside it; its own folder if left out.
  ///   - architectures: the networks that are known.
  /// - Throws: `CLIP.ConfigError` when the keys are those of a network and the shapes are not.
  public init(
    of file: any TensorFile, beside folder: URL? = nil,
    among architectures: [Architecture] = Architecture.builtIn
  ) throws {
    let sidecars = Sidecars(in: folder ?? file.url.deletingLastPathComponent())
    self.file = file
    for architecture in architectures {
      for layout in architecture.layouts {
        guard let prefix = layout.prefix(in: file.names) else { continue }
        let keys = file.names.filter { $0.hasPrefix(prefix) }.map {
          String($0.dropFirst(prefix.count))
        }
        guard layout.needs.allSatisfy(keys.contains) else { continue }
        let rules = layout.rules(keys)
        let checkpoint = try Checkpoint(file, layouts: rules, prefix: prefix)
        guard let (config, notes) = try architecture.detect(checkpoint, sidecars) else { continue }
        self.architecture = architecture
        self.config = config
        self.layout = checkpoint.layout?.name ?? layout.name
        self.rules = rules
        self.prefix = prefix
        self.notes = notes
        return
      }
    }
    (architecture, config, layout, prefix, rules, notes) = (nil, nil, "unknown", "", [], [])
  }

  /// The network in a few words.
  public var title: String { config?.title ?? "no network that Reverie has" }

  /// The file as a checkpoint of its network.
  public func checkpoint() throws -> Checkpoint {
    try Checkpoint(file, layouts: rules, prefix: prefix)
  }

  /// What in the file does not fit the network; nil when all fits, or there is no network.
  public func misfit() throws -> String? {
    guard let architecture, let config else { return nil }
    return try architecture.misfit(config, checkpoint())
  }

  /// Builds the network.
  /// - Parameter told: sizes that the owner knows better.
  /// - Throws: `WeightsError`.
  public func network<N: Network>(
    _ type: N.Type, _ told: N.Config? = nil, _ dtype: DType, device: Device
  ) throws -> N? {
    guard let architecture, let config = told ?? config as? N.Config else { return nil }
    return try architecture.build(config, from: checkpoint(), dtype, device: device) as? N
  }
}
