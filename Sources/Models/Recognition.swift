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
      let found = try Self.candidates(architecture, file, sidecars)
      // Which of several is meant is told by what fits; a single one needs no trial.
      let fitting =
        found.count > 1
        ? try found.first { try architecture.fit($0.config, $0.checkpoint).problem == nil } : nil
      guard let best = fitting ?? found.first else { continue }
      self.architecture = architecture
      config = best.config
      layout = best.checkpoint.layout?.name ?? best.layout.name
      rules = best.rules
      prefix = best.prefix
      let others = found.filter { $0.prefix != best.prefix }.map { "'\($0.prefix)'" }
      notes =
        others.isEmpty
        ? best.notes
        : best.notes + [
          "taken are the weights below '\(best.prefix)'; others of the kind lie below "
            + others.joined(separator: ", ")
        ]
      return
    }
    (architecture, config, layout, prefix, rules, notes) = (nil, nil, "unknown", "", [], [])
  }

  /// A network that a file seems to hold.
  private struct Candidate {
    let layout: Architecture.Layout
    let config: any NetworkConfig
    let notes: [String]
    let rules: [KeyRules]
    let prefix: String
    let checkpoint: Checkpoint
  }

  /// The networks of an architecture that a file holds, the likeliest first.
  private static func candidates(
    _ architecture: Architecture, _ file: any TensorFile, _ sidecars: Sidecars
  ) throws -> [Candidate] {
    var found: [Candidate] = []
    var failure: (any Error)?
    for layout in architecture.layouts {
      for prefix in layout.prefixes(in: file.names)
      where !found.contains(where: { $0.prefix == prefix }) {
        let keys = file.names.filter { $0.hasPrefix(prefix) }.map {
          String($0.dropFirst(prefix.count))
        }
        let known = Set(keys)
        guard layout.needs.allSatisfy(known.contains) else { continue }
        let rules = layout.rules(keys)
        let checkpoint = try Checkpoint(file, layouts: rules, prefix: prefix)
        do {
          guard let (config, notes) = try architecture.detect(checkpoint, sidecars),
            config.problem == nil
          else { continue }
          found.append(
            Candidate(
              layout: layout, config: config, notes: notes,
              rules: rules, prefix: prefix, checkpoint: checkpoint))
        } catch {
          failure = failure ?? error
        }
      }
    }
    if found.isEmpty, let failure { throw failure }
    return found
  }

  /// The network in a few words; of what is none that Reverie has, what it is.
  public var title: String {
    config?.title ?? "no network that Reverie has, but \(Stranger(file).title)"
  }

  /// The file as a checkpoint of its network.
  public func checkpoint() throws -> Checkpoint {
    try Checkpoint(file, layouts: rules, prefix: prefix)
  }

  /// How the file fits the network; nil when there is none.
  public func fit() throws -> Checkpoint.Fit? {
    guard let architecture, let config else { return nil }
    return try architecture.fit(config, checkpoint())
  }

  /// Builds the network.
  /// - Parameters:
  ///   - told: sizes that the owner knows better.
  ///   - eightBits: whether matrices that may be are held in eight bits; see ``Checkpoint``.
  /// - Throws: `WeightsError`.
  public func network<N: Network>(
    _ type: N.Type, _ told: N.Config? = nil, _ dtype: DType, device: Device, eightBits: Bool = false
  ) throws -> N? {
    guard let architecture, let config = told ?? config as? N.Config else { return nil }
    return try architecture.build(
      config, from: checkpoint(), dtype, device: device, eightBits: eightBits) as? N
  }
}
