import CZlib
import Foundation
import TestSupport
import Testing
import Torch

@testable import Weights

/// Files as people have them, that no writer of their format makes.
@Suite("Strange files")
struct StrangeFileTests {
  private func safetensors(_ header: String, _ body: [UInt8]) throws -> URL {
    let url = try ScratchFolder.make("strange").appending(path: "model.safetensors")
    var length = UInt64(header.utf8.count).littleEndian
    try (Data(bytes: &length, count: 8) + Data(header.utf8) + Data(body)).write(to: url)
    return url
  }

  @Test(
    "a tensor of a type that is not read is passed over, and the others are read",
    arguments: ["F8_E4M3", "F8_E5M2", "U16", "U32", "U64", "F4", "C64", "F8_E8M0"])
  func types(name: String) throws {
    let header = """
      {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\
      "extra.scale":{"dtype":"\(name)","shape":[1],"data_offsets":[4,12]}}
      """
    let file = try openTensors(
      at: safetensors(header, [0, 0, 128, 63] + Array(repeating: 0, count: 8)))
    #expect(file.names == ["a"] && file.unread == ["extra.scale": name])
    #expect(try file.tensor("a").floats() == [1])
    #expect(throws: WeightsError.self) { try file.tensor("extra.scale") }
    // One that a model asks for is named with its type.
    let fit = try Checkpoint(file).fit { p in p("extra.scale", [1]) }
    #expect(fit.problem?.contains("of the type \(name)") == true)
    let other = try Checkpoint(file).fit { p in p("a", [1]) }
    #expect(other == .init(problem: nil, besides: ["extra.scale"]))
  }

  @Test("pipes, devices and folders are refused before they are opened")
  func notRegular() throws {
    let folder = try ScratchFolder.make("strange")
    let pipe = folder.appending(path: "pipe").path
    #expect(mkfifo(pipe, 0o600) == 0)
    for (path, words) in [
      (pipe, "not a regular file"), ("/dev/zero", "not a regular file"), (folder.path, "a folder"),
    ] {
      let url = URL(filePath: path)
      let errors = [
        #expect(throws: WeightsError.self) { _ = try openTensors(at: url) },
        #expect(throws: WeightsError.self) { _ = try Checksum.sha256(of: url) },
        #expect(throws: WeightsError.self) { _ = try RegularFile.data(at: url) },
      ]
      #expect(errors.allSatisfy { $0?.description.contains(words) == true })
    }
  }

  @Test(
    "what people take for weights is called what it is",
    arguments: [
      ([], "empty (0 bytes)"), (Array("GIF89a......".utf8), "a picture"),
      ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], "a picture"),
      (Array("<!DOCTYPE html><p>".utf8), "a web page"),
      ([0x37, 0x7A, 0xBC, 0xAF, 1, 2, 3, 4], "7z"),
      (Array("just a few words".utf8), "a text"), ([0x47, 0x6B, 0x30, 0x01, 0, 0, 0, 0], ".param"),
    ] as [([UInt8], String)])
  func mistaken(bytes: [UInt8], words: String) throws {
    let url = try ScratchFolder.make("strange").appending(path: "model.pt")
    try Data(bytes).write(to: url)
    let error = #expect(throws: WeightsError.self) { try openTensors(at: url) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  // MARK: Archives packed again

  /// A member's bytes, deflated.
  private func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var (input, output) = (bytes, [UInt8](repeating: 0, count: bytes.count + 1024))
    let left = input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        _ = deflate(&stream, Z_FINISH)
        return Int(stream.avail_out)
      }
    }
    return Array(output.dropLast(left))
  }

  @Test("a torch zip that was packed again is read; damaged or padded members are refused")
  func repacked() throws {
    let url = Containers.url("zip.pt")
    let bytes = try Data(contentsOf: url)
    let members = try bytes.withUnsafeBytes { buffer in
      let archive = try ZipArchive(buffer)
      return try archive.names.sorted().map { name in
        let member = try #require(archive.member(name))
        return (name, try member.unpacked(from: buffer).copy)
      }
    }
    func write(_ change: (inout ZipWriter.Member) -> Void = { _ in }) throws -> URL {
      let target = try ScratchFolder.make("strange").appending(path: "zip.pt")
      let writer = ZipWriter(
        members: members.map { name, bytes in
          var member = ZipWriter.Member(name: name, bytes: deflated(bytes), method: 8)
          member.whole = bytes
          change(&member)
          return member
        })
      try Data(writer.bytes()).write(to: target)
      return target
    }
    let (plain, packed) = (try openTensors(at: url), try openTensors(at: write()))
    #expect(packed.names.sorted() == plain.names.sorted())
    for name in plain.names {
      Containers.expectEqual(try packed.tensor(name), try plain.tensor(name), name)
    }
    let damaged = try openTensors(
      at: write { if $0.name.hasSuffix("data/0") { $0.bytes[0] ^= 0x10 } })
    #expect(throws: WeightsError.self) {
      for name in damaged.names { _ = try damaged.tensor(name) }
    }
    let wrong = try openTensors(at: write { if $0.name.hasSuffix("data/0") { $0.whole?[0] ^= 1 } })
    #expect(throws: WeightsError.self) { for name in wrong.names { _ = try wrong.tensor(name) } }
  }

  // MARK: ncnn

  private func ncnn(_ layers: [String], _ weights: [UInt8]) throws -> URL {
    let url = try ScratchFolder.make("strange").appending(path: "net.param")
    try Data(("7767517\n\(layers.count) \(layers.count)\n" + layers.joined(separator: "\n")).utf8)
      .write(to: url)
    try Data(weights).write(to: url.deletingPathExtension().appendingPathExtension("bin"))
    return url
  }

  private func bytes<Value>(_ values: [Value]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  @Test("a network for ncnn is read, in whole and in half precision; what is cut off is refused")
  func ncnnWeights() throws {
    let layers = [
      "Input data 0 1 data", "Convolution c0 1 1 data a 0=1 1=1 5=1 6=3",
      "PReLU p 1 1 a b 0=1", "Convolution c1 1 1 b c 0=1 1=3 5=0 6=9",
    ]
    let half: [Float16] = [1, 2, 3]
    let kernel = (0..<9).map { Float($0) }
    let all =
      bytes([UInt32(0x0130_6B47)]) + bytes(half) + [0, 0] + bytes([Float(5)]) + bytes([Float(0.25)])
      + bytes([UInt32(0)]) + bytes(kernel)
    let file = try openTensors(at: ncnn(layers, all))
    #expect(file.container == .ncnn && file.parts.map(\.lastPathComponent) == ["net.bin"])
    #expect(
      file.names == [
        "Convolution.0.weight", "Convolution.0.bias", "PReLU.1.weight", "Convolution.2.weight",
      ])
    #expect(file.entries["Convolution.0.weight"] == .init(dtype: .float16, shape: [1, 3, 1, 1]))
    #expect(try file.tensor("Convolution.0.weight").to(.float32).floats() == [1, 2, 3])
    #expect(try file.tensor("PReLU.1.weight").floats() == [0.25])
    #expect(try file.tensor("Convolution.2.weight").floats() == kernel)
    for count in 0..<all.count {
      #expect(throws: WeightsError.self) { try openTensors(at: ncnn(layers, Array(all[..<count]))) }
    }
    #expect(throws: WeightsError.self) { try openTensors(at: ncnn(layers, all + [0])) }
    for line in [
      "Convolution c 1 1 a b 0=99999999999 1=1 6=1", "Convolution c 1 1 a b 0=0 1=1 6=1",
      "Convolution c 1 1 a b 0=268435456 1=268435456 6=1", "Convolution", "LSTM l 1 1 a b 0=1",
      "Convolution c 9223372036854775807 9223372036854775807 a b",
    ] {
      #expect(throws: WeightsError.self) { try openTensors(at: ncnn([line], all)) }
    }
  }
}
