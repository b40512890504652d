// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {LogProof} from "./lib/LogProof.sol";
import {Quorum} from "./lib/Quorum.sol";

/// @title ReceiptAnchor: the log of a gpucoord chain, as its validators signed it.
/// @notice Holds the newest roots of the chain's append-only log of settled receipts. A root is taken when more than two thirds of
/// the validators' power signed it and a proof shows that the log only grew. Anyone may submit; there is no owner and no proxy.
/// @dev OpenZeppelin's EIP712 is not used: its domain holds the EVM chain's id and the contract's address, and one set of
/// signatures serves every EVM chain here. The domain's salt is the origin id, which names the chain from its first state.
contract ReceiptAnchor {
    /// @notice What validators sign about the log at the end of one block.
    /// @param nonce Counts anchors from 1.
    /// @param height The block at whose end the log had this root.
    /// @param time That block's time, in Unix seconds.
    /// @param treeSize The number of leaves.
    /// @param root The log's root (RFC 9162, SHA-256).
    /// @param nextValset The hash of the set that signs what follows.
    struct Anchor {
        uint64 nonce;
        uint64 height;
        uint64 time;
        uint64 treeSize;
        bytes32 root;
        bytes32 nextValset;
    }

    /// @dev One slot. Times are checked against the block's before they are cut to 56 bits.
    struct Head {
        uint64 nonce;
        uint64 treeSize;
        uint64 height;
        uint56 time;
        bool frozen;
    }

    /// @notice The held set is older than the trusting period: only the guardian can go on.
    error Stale();
    /// @notice Nonce and height must both be above the head's.
    error BadNonce();
    /// @notice The members are not the held set, are not in strictly ascending order, or the set's hash is zero.
    error BadValset();
    /// @notice The signature of the member at this place of the set is not his, or has a high s.
    /// @param index The place.
    error BadSignature(uint256 index);
    /// @notice The signers hold two thirds or less.
    /// @param got Their power.
    /// @param total The set's power.
    error LowPower(uint256 got, uint256 total);
    /// @notice The log would be smaller than it was.
    error Shrunk();
    /// @notice Two conflicting anchors were shown: nothing more is taken, for ever.
    error IsFrozen();
    /// @notice No or too many members, a bit beyond the set, not 64 bytes a signature, or a proof not of the length its sizes ask for.
    error BadLength();
    /// @notice The log is not a continuation of the one held.
    error Inconsistent();
    /// @notice The two anchors have not the same nonce, or are the same.
    error NoConflict();
    /// @notice The held set is not older than the trusting period.
    error NotStale();
    /// @notice The time is more than 15 minutes ahead of this chain's.
    error FutureTime();
    /// @notice The caller is not the guardian.
    error NotGuardian();

    /// @notice An anchor was taken.
    event Anchored(uint64 indexed nonce, bytes32 indexed root, uint64 height, uint64 treeSize, uint64 time);
    /// @notice Another set signs from here on.
    event ValsetUpdated(uint64 indexed nonce, bytes32 valset);
    /// @notice Two signed anchors conflict: the hashes of both.
    event Frozen(uint64 indexed nonce, bytes32 a, bytes32 b);

    /// @notice How many anchors are held; older ones are overwritten. The log is cumulative: a newer anchor proves what they did.
    uint256 public constant RING = 1024;
    /// @notice How far ahead of this chain's clock an anchor's time may be, in seconds.
    uint256 public constant MAX_AHEAD = 15 minutes;

    bytes32 private constant DOMAIN_TYPEHASH = keccak256("EIP712Domain(string name,string version,bytes32 salt)");
    bytes32 private constant ANCHOR_TYPEHASH =
        keccak256("Anchor(uint64 nonce,uint64 height,uint64 time,uint64 treeSize,bytes32 root,bytes32 nextValset)");

    /// @notice Names the chain by all it started from.
    bytes32 public immutable originId;
    /// @notice EIP-712's, of name ReceiptAnchor, version 1, salt originId.
    bytes32 public immutable domainSeparator;
    /// @notice For how many seconds after an anchor's time its set is believed: well below the chain's unbonding time.
    uint32 public immutable trustingPeriod;
    /// @notice Who may name a new set when the held one is stale; zero for nobody.
    address public immutable guardian;

    Head private _head;
    /// @notice The hash of the set that signs the next anchor.
    bytes32 public valset;
    /// @notice The log's root at the head.
    bytes32 public lastRoot;
    /// @notice The hash of the set before; its conflicting signatures freeze as well, for a trusting period after previousTime.
    bytes32 public previousValset;
    /// @notice When that set was last known to be the chain's, in Unix seconds: the head's time before the anchor that replaced it.
    uint64 public previousTime;
    /// @notice The hashes (EIP-712 hashStruct) of the newest anchors: nonce n is at n % RING.
    bytes32[RING] public ring;

    /// @param origin The chain's origin id.
    /// @param firstValset The hash of the set that signs the first anchor.
    /// @param time When that set was the chain's, in Unix seconds: not older than the trusting period.
    /// @param trusting The trusting period, in seconds.
    /// @param recoverer The guardian, or zero.
    constructor(bytes32 origin, bytes32 firstValset, uint64 time, uint32 trusting, address recoverer) {
        if (firstValset == 0) revert BadValset();
        originId = origin;
        trustingPeriod = trusting;
        guardian = recoverer;
        domainSeparator = keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("ReceiptAnchor"), keccak256("1"), origin));
        _checkTime(time, trusting);
        _head.time = uint56(time);
        valset = firstValset;
        lastRoot = LogProof.EMPTY_ROOT;
    }

    /// @notice Takes an anchor. Nonces rise but may skip; an anchor that names another set is the last one its signers can submit.
    /// @param a The anchor.
    /// @param members The held set's words, address << 96 | power.
    /// @param bitmap Bit i for a signature of member i.
    /// @param sigs Those signatures, 64 bytes each (EIP-2098), in the set's order.
    /// @param consistency The proof (RFC 9162 2.1.4) from the head's size to the anchor's; empty from size 0 or to the same size.
    function submit(Anchor calldata a, bytes32[] calldata members, uint256 bitmap, bytes calldata sigs, bytes32[] calldata consistency)
        external
    {
        Head memory head_ = _head;
        // The cheapest first: a relayer that lost a race pays for little.
        if (head_.frozen) revert IsFrozen();
        if (a.nonce <= head_.nonce || a.height <= head_.height) revert BadNonce();
        if (a.treeSize < head_.treeSize) revert Shrunk();
        if (block.timestamp > uint256(head_.time) + trustingPeriod) revert Stale();
        if (a.time > block.timestamp + MAX_AHEAD) revert FutureTime();
        if (a.nextValset == 0 || Quorum.hash(members) != valset) revert BadValset();
        bytes32 structHash = hashAnchor(a);
        _checkSignatures(structHash, members, bitmap, sigs);
        _grow(head_.treeSize, a.treeSize, a.root, consistency);
        ring[a.nonce % RING] = structHash;
        // A set that the guardian named may be newer than the anchor: trust never gets older.
        uint56 time = a.time > head_.time ? uint56(a.time) : head_.time;
        _head = Head({nonce: a.nonce, treeSize: a.treeSize, height: a.height, time: time, frozen: false});
        _announce(a, head_.time);
    }

    /// @notice Stops the contract for ever on two signed anchors of one nonce.
    /// @dev Each is signed by the held set or, for a trusting period, by the one before; or it stands in the ring, and then its
    /// signatures were checked before and its members, bitmap and sigs are not looked at. A stale contract can not be frozen: the
    /// keys that it believes may be worth nothing any more.
    function freeze(
        Anchor calldata a,
        bytes32[] calldata membersA,
        uint256 bitmapA,
        bytes calldata sigsA,
        Anchor calldata b,
        bytes32[] calldata membersB,
        uint256 bitmapB,
        bytes calldata sigsB
    ) external {
        if (_head.frozen) revert IsFrozen();
        if (_isStale()) revert Stale();
        if (a.nonce != b.nonce) revert NoConflict();
        bytes32 hashA = _attested(a, membersA, bitmapA, sigsA);
        bytes32 hashB = _attested(b, membersB, bitmapB, sigsB);
        if (hashA == hashB) revert NoConflict();
        _head.frozen = true;
        emit Frozen(a.nonce, hashA, hashB);
    }

    /// @notice Says whether leafHash stands at index of the anchored log. False, never an error: for a frozen contract, an anchor that
    /// is not held, an index outside the log, a proof too short, too long or wrong.
    /// @param a A held anchor.
    /// @param leafHash SHA-256 of 0x00 and the leaf's data.
    /// @param index The leaf's place, from 0.
    /// @param proof The siblings from the leaf upwards (RFC 9162 2.1.3).
    function verifyInclusion(Anchor calldata a, bytes32 leafHash, uint256 index, bytes32[] calldata proof) external view returns (bool) {
        if (_head.frozen || ring[a.nonce % RING] != hashAnchor(a)) return false;
        return LogProof.verifyInclusion(a.root, a.treeSize, index, leafHash, proof);
    }

    /// @notice Names a new set after the held one went stale. The log can not be changed by it: the next anchor still has to be a
    /// continuation, with a higher nonce.
    /// @param newValset The hash of the set that signs the chain's new era.
    /// @param time When that set was the chain's, in Unix seconds.
    function recover(bytes32 newValset, uint64 time) external {
        if (msg.sender != guardian) revert NotGuardian();
        if (_head.frozen) revert IsFrozen();
        if (!_isStale()) revert NotStale();
        if (newValset == 0) revert BadValset();
        _checkTime(time, trustingPeriod);
        _head.time = uint56(time);
        // Signatures of the stale set freeze nothing.
        (previousValset, previousTime, valset) = (0, 0, newValset);
        emit ValsetUpdated(_head.nonce, newValset);
    }

    /// @notice The newest anchor taken; all zero but time before the first.
    /// @return nonce Its nonce.
    /// @return treeSize The log's size.
    /// @return height The chain's height.
    /// @return time When the held set was last known to be the chain's, in Unix seconds; stale after trustingPeriod more.
    /// @return frozen That two conflicting anchors were shown.
    function head() external view returns (uint64 nonce, uint64 treeSize, uint64 height, uint64 time, bool frozen) {
        return (_head.nonce, _head.treeSize, _head.height, _head.time, _head.frozen);
    }

    /// @notice What validators sign for an anchor: EIP-712's digest.
    function digest(Anchor calldata a) external view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domainSeparator, hashAnchor(a));
    }

    /// @notice EIP-712's hashStruct of an anchor; the ring holds it.
    function hashAnchor(Anchor calldata a) public pure returns (bytes32 h) {
        bytes32 typeHash = ANCHOR_TYPEHASH;
        assembly ("memory-safe") {
            // The words of calldata are those of abi.encode. The decoder has not looked at the unused bits of the integers, so they
            // are hashed as they came, and every reader of a field checks them.
            let m := mload(0x40)
            mstore(m, typeHash)
            calldatacopy(add(m, 0x20), a, 0xc0)
            h := keccak256(m, 0xe0)
        }
    }

    function _isStale() private view returns (bool) {
        return block.timestamp > uint256(_head.time) + trustingPeriod;
    }

    /// @dev A set is named at a time that is neither ahead nor so old that it would be stale at once.
    function _checkTime(uint64 time, uint32 trusting) private view {
        if (time > block.timestamp + MAX_AHEAD) revert FutureTime();
        if (block.timestamp > uint256(time) + trusting) revert Stale();
    }

    /// @dev Emits the anchor's events and hands the next one to the set it names. The set before is believed for as long as it would
    /// have been: its members may have left, with their stake, at any time after.
    /// @param time The head's time before the anchor.
    function _announce(Anchor calldata a, uint64 time) private {
        emit Anchored(a.nonce, a.root, a.height, a.treeSize, a.time);
        bytes32 held = valset;
        if (a.nextValset == held) return;
        (previousValset, previousTime, valset) = (held, time, a.nextValset);
        emit ValsetUpdated(a.nonce, a.nextValset);
    }

    /// @dev That the log of size to and this root continues the one held, and writes the root.
    function _grow(uint64 from, uint64 to, bytes32 root, bytes32[] calldata consistency) private {
        bytes32 last = lastRoot;
        if (from == to || from == 0) {
            if (consistency.length != 0) revert BadLength();
            if (from == to && root != last) revert Inconsistent();
        } else {
            (bool sized, bool linked) = LogProof.verifyConsistency(last, root, from, to, consistency);
            if (!sized) revert BadLength();
            if (!linked) revert Inconsistent();
        }
        if (root != last) lastRoot = root;
    }

    /// @dev The hash of an anchor that the ring holds, or that the held set, or the one before while it can be believed, signed.
    function _attested(Anchor calldata a, bytes32[] calldata members, uint256 bitmap, bytes calldata sigs)
        private
        view
        returns (bytes32 structHash)
    {
        structHash = hashAnchor(a);
        if (ring[a.nonce % RING] == structHash) return structHash;
        bytes32 set = Quorum.hash(members);
        if (set != valset && (set != previousValset || block.timestamp > uint256(previousTime) + trustingPeriod)) revert BadValset();
        _checkSignatures(structHash, members, bitmap, sigs);
    }

    /// @dev That bitmap and sigs are exactly as many members' signatures and hold more than two thirds. Sizes come first.
    function _checkSignatures(bytes32 structHash, bytes32[] calldata members, uint256 bitmap, bytes calldata sigs) private view {
        uint256 n = members.length;
        if (n == 0 || n > Quorum.MAX_MEMBERS || (n < Quorum.MAX_MEMBERS && bitmap >> n != 0)) revert BadLength();
        if (sigs.length != 64 * Quorum.ones(bitmap)) revert BadLength();
        bytes32 signed = MessageHashUtils.toTypedDataHash(domainSeparator, structHash);
        (bool ordered, uint256 bad, uint256 got, uint256 total) = Quorum.verify(signed, members, bitmap, sigs);
        if (!ordered) revert BadValset();
        if (bad != n) revert BadSignature(bad);
        if (3 * got <= 2 * total) revert LowPower(got, total);
    }
}
