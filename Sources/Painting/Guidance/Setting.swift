import Foundation
import Imaging
import Torch

/// Where a part of the machine is made: for which picture, from which arguments, with what at hand.
public struct Setting {
  /// Width of the picture in pixels.
  public let width: Int
  /// Height of the picture in pixels.
  public let height: Int
  /// From which all random numbers derive.
  public let seed: UInt64
  /// Where it computes.
  public let device: Device
  /// The picture to begin from, `[1, 3, H, W]` in 0…1; nil when there is none.
  public let initial: Tensor?
  /// Arguments by name, checked against their declarations, standards filled in.
  public let arguments: [String: JSONValue]
  /// Files that arguments name, by the SHA-256 of their content.
  public let files: [String: URL]
  /// The installed network that draws; nil is the pack's own, or the first installed of its kind.
  public let model: String?
  let networks: Networks?
  /// What is painted, where parts must look further than at their arguments.
  var request: Request?
  /// Told how far work is that takes seconds and comes before the first iteration.
  var preparing: (Event.Progress) -> Void = { _ in }

  /// A setting; see the fields.
  public init(
    width: Int, height: Int, seed: UInt64 = 0, device: Device = .cpu, initial: Tensor? = nil,
    arguments: [String: JSONValue] = [:], files: [String: URL] = [:], model: String? = nil
  ) {
    self.init(
      width: width, height: height, seed: seed, device: device, initial: initial,
      arguments: arguments, files: files, model: model, networks: nil)
  }

  init(
    width: Int, height: Int, seed: UInt64, device: Device, initial: Tensor?,
    arguments: [String: JSONValue], files: [String: URL], model: String?, networks: Networks?
  ) {
    self.width = width
    self.height = height
    self.seed = seed
    self.device = device
    self.initial = initial
    self.arguments = arguments
    self.files = files
    self.model = model
    self.networks = networks
  }

  /// The stream `name` of the picture's seed.
  public func stream(_ name: String) -> RandomStream { RandomStream(seed: seed, name) }

  /// A number; `0` when there is neither a value nor a standard.
  public func number(_ name: String) -> Double {
    switch arguments[name] {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: 0
    }
  }

  /// A whole number, if given.
  public func integer(_ name: String) -> Int? {
    if case .integer(let value) = arguments[name] { value } else { nil }
  }

  /// A text or word, if given.
  public func text(_ name: String) -> String? {
    if case .string(let value) = arguments[name] { value } else { nil }
  }

  /// A file, if given.
  public func file(_ name: String) -> URL? {
    guard case .object(let fields) = arguments[name], case .string(let hash) = fields["sha256"]
    else { return nil }
    return files[hash]
  }

  /// A picture file at the size of the picture that is painted, cut to its proportions:
  /// `[1, 3, H, W]` in 0…1. Nil when the argument was not given.
  public func picture(_ name: String) throws -> Tensor? {
    guard let url = file(name) else { return nil }
    return try Picture.read(from: url.path).filled(width: width, height: height).tensor()
      .to(device)
  }
}
