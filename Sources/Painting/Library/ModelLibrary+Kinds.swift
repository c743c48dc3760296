import Foundation
import Models
import Torch
import Weights

// Installed models that are asked for by what they are.

extension ModelLibrary {
  /// A BigGAN-deep.
  /// - Parameter id: its name; the first that is installed if left out.
  /// - Throws: `StoreError` when there is none, or it is something else; `WeightsError`.
  func bigGAN(_ id: String?, _ dtype: DType, _ device: Device) throws -> BigGAN {
    let file = try file(id, .biggan)
    guard case .bigGAN(let config) = file.network else { throw Self.wrong(file, .biggan) }
    return try file.checkpoint().build(dtype, device: device) { BigGAN($0, config) }
  }

  /// A network that enlarges pictures; as ``bigGAN(_:_:_:)``.
  func upscaler(_ id: String?, _ dtype: DType, _ device: Device) throws -> RRDBNet {
    let file = try file(id, .upscaler)
    guard case .rrdbNet(let config) = file.network else { throw Self.wrong(file, .upscaler) }
    return try file.checkpoint().build(dtype, device: device) { RRDBNet($0, config) }
  }

  /// A diffusion model of v-diffusion; as ``bigGAN(_:_:_:)``.
  func diffusion(_ id: String?, _ dtype: DType, _ device: Device) throws -> VDiffusion {
    let file = try file(id, .diffusion)
    guard case .vDiffusion(let config) = file.network else { throw Self.wrong(file, .diffusion) }
    return try file.checkpoint().build(dtype, device: device) { VDiffusion($0, config) }
  }

  /// A VGG-16; as ``bigGAN(_:_:_:)``.
  func vgg(_ id: String?, _ dtype: DType, _ device: Device) throws -> VGG16 {
    let file = try file(id, .vgg)
    guard case .vgg16(let config) = file.network else { throw Self.wrong(file, .vgg) }
    return try file.checkpoint().build(dtype, device: device, leftovers: VGG16.leftovers) {
      VGG16($0, config)
    }
  }

  /// A head that scores embeddings, always in float32; as ``bigGAN(_:_:_:)``.
  func aestheticHead(_ id: String?, _ device: Device) throws -> AestheticHead {
    let file = try file(id, .aesthetic)
    guard case .aestheticHead(let config) = file.network else {
      throw Self.wrong(file, .aesthetic)
    }
    return try file.checkpoint().build(device: device) { AestheticHead($0, config) }
  }

  /// The first model of this kind that is installed.
  /// - Throws: `StoreError` when there is none.
  func first(_ kind: ModelRecord.Kind) throws -> String {
    if let found = store.models().first(where: { $0.record.kind == kind }) {
      return found.record.id
    }
    let known = try KnownModel.all().first { $0.kind == kind }
    throw StoreError.nothing(
      path: kind.rawValue,
      reason: "no such model is installed. Add one with: reverie models pull "
        + (known?.id ?? "NAME"))
  }

  /// The only file of the model `id`, or of the first of this kind that is installed.
  private func file(_ id: String?, _ kind: ModelRecord.Kind) throws -> Recognition {
    let id = try id ?? first(kind)
    let model = try store.model(id)
    let found = try Self.look(at: model.folder)
    guard model.record.kind == kind, found.count == 1 else {
      throw StoreError.nothing(
        path: id, reason: "it is \(model.record.title), not of the kind '\(kind.rawValue)'")
    }
    return found[0]
  }

  private static func wrong(_ file: Recognition, _ kind: ModelRecord.Kind) -> StoreError {
    .nothing(
      path: file.file.url.path, reason: "it is \(file.title), not of the kind '\(kind.rawValue)'")
  }
}
